// What alarms are called, and what operators are told of them.
//
// In: nothing. Out: a dictionary for each language. Not known here: where they stand.

export const ALARM_WORDS = {
  "zh-CN": {
    "quiet.alarm": "已通知班长：{kinds}。请继续问清地点和人员情况",
    "quiet.alarmTaken": "班长已接手：{kinds}",
    "kind.gas": "燃气泄漏",
    "kind.fire": "火情",
    "kind.fall": "高处坠落",
    "kind.electricity": "触电漏电",
    "kind.suicide": "轻生",
    "kind.missing": "人员走失",
    "kind.trapped": "人员被困",
    "kind.drowning": "溺水",
    "kind.violence": "暴力伤害",
    "kind.collapse": "坍塌",
    "kind.explosion": "爆炸",
    "kind.poisoning": "中毒",
    "kind.crowd": "人群聚集",
    "kind.injury": "伤病急救",
  },
  en: {
    "quiet.alarm": "The supervisor was told: {kinds}. Keep asking where it is and who is there",
    "quiet.alarmTaken": "A supervisor sees to it: {kinds}",
    "kind.gas": "Gas leak",
    "kind.fire": "Fire",
    "kind.fall": "Fall from a height",
    "kind.electricity": "Electricity",
    "kind.suicide": "Suicide",
    "kind.missing": "Missing person",
    "kind.trapped": "Trapped",
    "kind.drowning": "Drowning",
    "kind.violence": "Violence",
    "kind.collapse": "Collapse",
    "kind.explosion": "Explosion",
    "kind.poisoning": "Poisoning",
    "kind.crowd": "Crowd",
    "kind.injury": "Injury or illness",
  },
};

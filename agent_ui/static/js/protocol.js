// Written by `python -m agent_ui.jsdoc` from agent_ui/events.py. Do not edit: a test compares the two.

export const EVENT = Object.freeze({
  ALARM_RAISED: "alarm.raised",
  ALARM_RATED: "alarm.rated",
  ALARM_TAKEN: "alarm.taken",
  CALL_DEGRADED: "call.degraded",
  CALL_ENDED: "call.ended",
  CALL_INTERRUPTED: "call.interrupted",
  CALL_LAG: "call.lag",
  CALL_LINE: "call.line",
  CALL_LOST: "call.lost",
  CALL_RECONNECTED: "call.reconnected",
  CALL_STARTED: "call.started",
  CALL_TRANSFERRED: "call.transferred",
  ERROR: "error",
  KB_PUBLISHED: "kb.published",
  NOTE_CHANGED: "note.changed",
  NOTE_TAKEN: "note.taken",
  QUESTION_ANSWERED: "question.answered",
  SEGMENT_CORRECTED: "segment.corrected",
  SEGMENT_SHOWN: "segment.shown",
  SNAPSHOT: "snapshot",
  STREAM_ALIVE: "stream.alive",
  SUGGESTION_MARKED: "suggestion.marked",
  SUGGESTION_SHOWN: "suggestion.shown",
  WORK_ORDER_CHANGED: "work_order.changed",
  WORK_ORDER_DRAFTED: "work_order.drafted",
  WORK_ORDER_MADE: "work_order.made",
});

export const COMMAND = Object.freeze({
  CALL_TRANSFER: "call.transfer",
  CORRECTION_UNDO: "correction.undo",
  NOTE_WRITE: "note.write",
  QUESTION_ASK: "question.ask",
  SEGMENT_CORRECT: "segment.correct",
  SEGMENT_RESTORE: "segment.restore",
  SUGGESTION_MARK: "suggestion.mark",
});

export const MARK = Object.freeze({
  USED: "used",
  COPIED: "copied",
  HELPFUL: "helpful",
  WRONG: "wrong",
  DISMISSED: "dismissed",
  RESTORED: "restored",
  PINNED: "pinned",
  UNPINNED: "unpinned",
});

export const PARTY = Object.freeze({
  CITIZEN: "citizen",
  OPERATOR: "operator",
  MIXED: "mixed",
});

export const CALL_STATE = Object.freeze({
  LIVE: "live",
  LOST: "lost",
  INTERRUPTED: "interrupted",
  ENDED: "ended",
});

/** What the danger is; the values are what everybody calls it, in files and on the wire.
 * @typedef {"gas"|"fire"|"fall"|"electricity"|"suicide"|"missing"|"trapped"|"drowning"|"violence"|"collapse"|"explosion"|"poisoning"|"crowd"|"injury"} AlarmKind
 */

/** Words of danger in a call, and what became of them; `start` and `end` count characters of `said`.
 * @typedef {Object} AlarmOnScreen
 * @property {string} alarm_id
 * @property {string} call_id
 * @property {AlarmKind} kind
 * @property {Severity} severity
 * @property {string} segment_id
 * @property {string} said
 * @property {number} start
 * @property {number} end
 * @property {number} start_s
 * @property {string} at
 * @property {string|null} operator_id
 * @property {string|null} caller
 * @property {string|null} taken_at
 * @property {string|null} taken_by
 * @property {string} note
 * @property {boolean|null} is_true
 * @property {string|null} rated_by
 */

/** Words of danger were said; `start` and `end` count characters of `said`, what was said around them.
 * @typedef {Object} AlarmRaised
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"alarm.raised"} type
 * @property {string} alarm_id
 * @property {AlarmKind} kind
 * @property {Severity} severity
 * @property {string} segment_id
 * @property {string} said
 * @property {number} start
 * @property {number} end
 * @property {number} start_s
 */

/** A supervisor says whether there really was danger.
 * @typedef {Object} AlarmRated
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"alarm.rated"} type
 * @property {string} alarm_id
 * @property {boolean} is_true
 * @property {string|null} by
 */

/** A supervisor has seen to an alarm.
 * @typedef {Object} AlarmTaken
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"alarm.taken"} type
 * @property {string} alarm_id
 * @property {string} note
 * @property {string|null} by
 */

/** Search the knowledge base from the desk, in the context of the call.
 * @typedef {Object} AskQuestion
 * @property {"question.ask"} type
 * @property {string} text
 */

/** Something of the call was lost or is worse than it should be; `code` says what.
 * @typedef {Object} CallDegraded
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"call.degraded"} type
 * @property {string} code
 * @property {number|null} seconds
 * @property {string|null} message
 * @property {number|null} start_s
 */

/** The call is over and every pending final has been shown.
 * @typedef {Object} CallEnded
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"call.ended"} type
 * @property {EndReason} reason
 * @property {number} seconds
 */

/** The server was cut off in mid-call; the call may come back.
 * @typedef {Object} CallInterrupted
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"call.interrupted"} type
 */

/** How far recognition is behind the speakers. Not durable.
 * @typedef {Object} CallLag
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"call.lag"} type
 * @property {number} lag_s
 */

/** What was last said in a running call, for the list alone. Not durable.
 * @typedef {Object} CallLine
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"call.line"} type
 * @property {Party} party
 * @property {string} text
 */

/** The whole state of the list of calls, newest first.
 * @typedef {Object} CallListSnapshot
 * @property {number} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"snapshot"} type
 * @property {Array<CallOnScreen>} calls
 * @property {Array<AlarmOnScreen>} alarms
 */

/** The line vanished without a hang-up; the call is kept open for a short while.
 * @typedef {Object} CallLost
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"call.lost"} type
 */

/** A call as the list and the desk's head show it. `seconds` is media time received so far.
 * @typedef {Object} CallOnScreen
 * @property {string} call_id
 * @property {CallState} state
 * @property {string} started_at
 * @property {string|null} ended_at
 * @property {string|null} operator_id
 * @property {string|null} caller
 * @property {string|null} dialled
 * @property {number} seconds
 * @property {EndReason|null} end_reason
 * @property {Object<string, *>} meta
 */

/** The line came back; sound up to `received_s` had already arrived.
 * @typedef {Object} CallReconnected
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"call.reconnected"} type
 * @property {number} received_s
 */

/** The whole state of a call or operator stream; `call` is None where an operator has none.
 * @typedef {Object} CallSnapshot
 * @property {number} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"snapshot"} type
 * @property {CallOnScreen|null} call
 * @property {Array<SegmentOnScreen>} segments
 * @property {Array<SegmentOnScreen>} partials
 * @property {Array<CardOnScreen>} cards
 * @property {string|null} suggestion_id
 * @property {Array<MarkOnScreen>} marks
 * @property {Array<ShownCardOnScreen>} history
 * @property {Array<EditOnScreen>} edits
 * @property {Array<NoteOnScreen>} notes
 * @property {Array<TransferOnScreen>} transfers
 * @property {Array<AlarmOnScreen>} alarms
 * @property {WorkOrderOnScreen|null} work_order
 */

/** A call began.
 * @typedef {Object} CallStarted
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"call.started"} type
 * @property {CallOnScreen} call
 */

/** Where a call stands; `LOST` and `INTERRUPTED` calls may still be taken up again.
 * @typedef {"live"|"lost"|"interrupted"|"ended"} CallState
 */

/** The call was handed to another operator. Screens of that one get a snapshot in its place.
 * @typedef {Object} CallTransferred
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"call.transferred"} type
 * @property {string|null} from_operator
 * @property {string} to_operator
 * @property {string} message
 * @property {string|null} by
 */

/** One article in one of the three slots.
 * @typedef {Object} CardOnScreen
 * @property {number} slot
 * @property {boolean} is_new
 * @property {string} article_id
 * @property {string} title
 * @property {string} excerpt
 * @property {string} department
 * @property {number} score
 * @property {string} source
 */

/** A person's change of one field; `value` is None where it was given back to the drafts.
 * @typedef {Object} ChangeOnScreen
 * @property {string} name
 * @property {string} drafted
 * @property {number} confidence
 * @property {string} before
 * @property {string|null} value
 */

/** A department that may be the right one; without `department_id` where the directory has none.
 * @typedef {Object} ChoiceOnScreen
 * @property {string} name
 * @property {string|null} department_id
 * @property {number} confidence
 */

/** Replace the text of a final.
 * @typedef {Object} CorrectSegment
 * @property {"segment.correct"} type
 * @property {string} segment_id
 * @property {string} text
 */

/** One replacement in a segment's text; `start` indexes the text after replacement.
 * @typedef {Object} CorrectionOnScreen
 * @property {number} start
 * @property {string} heard
 * @property {string} written
 * @property {string} reason
 */

/** What a person changed in a line (`original.segment_id`), and the line as it was heard.
 * @typedef {Object} EditOnScreen
 * @property {SegmentOnScreen} original
 * @property {string} at
 * @property {string|null} by
 */

/** Why a call is over.
 * @typedef {"hangup"|"lost"|"interrupted"|"failed"|"recorded"} EndReason
 */

/** A command or the stream itself failed. Never durable.
 * @typedef {Object} ErrorShown
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"error"} type
 * @property {string} code
 * @property {string} message
 * @property {boolean} recoverable
 */

/** A field of a wrap-up: what a person set (`set_by`), else what was `drafted`; empty: not said.
 * @typedef {Object} FieldOnScreen
 * @property {string} value
 * @property {string} drafted
 * @property {number} confidence
 * @property {Array<SpanOnScreen>} spans
 * @property {boolean} is_unsure
 * @property {string|null} set_by
 * @property {string|null} set_at
 */

/** A new version of the knowledge base is in use.
 * @typedef {Object} KnowledgePublished
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"kb.published"} type
 * @property {string} version
 */

/** What an operator did with a card.
 * @typedef {"used"|"copied"|"helpful"|"wrong"|"dismissed"|"restored"|"pinned"|"unpinned"} Mark
 */

/** What was last done with one of the call's cards, so that a reload loses no mark.
 * @typedef {Object} MarkOnScreen
 * @property {string} suggestion_id
 * @property {string} article_id
 * @property {Mark} mark
 */

/** Use, judge, pin or close a card.
 * @typedef {Object} MarkSuggestion
 * @property {"suggestion.mark"} type
 * @property {string} suggestion_id
 * @property {string} article_id
 * @property {Mark} mark
 */

/** A note says something else now; empty text takes it away.
 * @typedef {Object} NoteChanged
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"note.changed"} type
 * @property {string} note_id
 * @property {string} text
 * @property {string|null} by
 */

/** What a person wrote down about the call.
 * @typedef {Object} NoteOnScreen
 * @property {string} note_id
 * @property {string} text
 * @property {string} at
 * @property {string|null} by
 * @property {string|null} changed_at
 */

/** Somebody wrote something down about the call.
 * @typedef {Object} NoteTaken
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"note.taken"} type
 * @property {string} note_id
 * @property {string} text
 * @property {string|null} by
 */

/** The work order that was made of a wrap-up, with its state at that moment.
 * @typedef {Object} OrderMadeOnScreen
 * @property {string} order_id
 * @property {string} state
 * @property {string} by
 */

/** One telephone leg; `MIXED` where a mono recording holds both speakers.
 * @typedef {"citizen"|"operator"|"mixed"} Party
 */

/** What was found for a question typed at the desk.
 * @typedef {Object} QuestionAnswered
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"question.answered"} type
 * @property {string} text
 * @property {Array<CardOnScreen>} cards
 */

/** Put a line back as it was heard, whatever people made of it.
 * @typedef {Object} RestoreSegment
 * @property {"segment.restore"} type
 * @property {string} segment_id
 */

/** A person changed a final, undid a correction, or put the heard line back.
 * @typedef {Object} SegmentCorrected
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"segment.corrected"} type
 * @property {SegmentOnScreen} segment
 * @property {string|null} by
 */

/** The text of one utterance, with the keys of `asr.types.Segment`; the same `segment_id` replaces.
 * @typedef {Object} SegmentOnScreen
 * @property {string} call_id
 * @property {string} segment_id
 * @property {Party} party
 * @property {number} start_s
 * @property {number} end_s
 * @property {string} text
 * @property {string} raw_text
 * @property {boolean} is_final
 * @property {Array<WordOnScreen>} words
 * @property {number} avg_logprob
 * @property {number} no_speech_prob
 * @property {Array<CorrectionOnScreen>} corrections
 * @property {boolean} is_unclear
 */

/** Text came up: a partial (no `seq`) or a final; a final without text removes its line.
 * @typedef {Object} SegmentShown
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"segment.shown"} type
 * @property {SegmentOnScreen} segment
 */

/** How soon somebody must act.
 * @typedef {"critical"|"urgent"} Severity
 */

/** A card that was on screen in this call; `at` says when it first came up.
 * @typedef {Object} ShownCardOnScreen
 * @property {CardOnScreen} card
 * @property {string} suggestion_id
 * @property {string} at
 */

/** An article that speaks of the matter.
 * @typedef {Object} SourceOnScreen
 * @property {string} article_id
 * @property {string} title
 * @property {boolean} is_used
 */

/** Words of one final: `text[start:end]`, counted in characters.
 * @typedef {Object} SpanOnScreen
 * @property {string} segment_id
 * @property {number} start
 * @property {number} end
 */

/** The server is still there, to screens that asked to be told. Not durable.
 * @typedef {Object} StreamAlive
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"stream.alive"} type
 */

/** Somebody used, judged, pinned or closed a card.
 * @typedef {Object} SuggestionMarked
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"suggestion.marked"} type
 * @property {string} suggestion_id
 * @property {string} article_id
 * @property {Mark} mark
 * @property {string|null} by
 */

/** The complete set of cards from now on; an empty `cards` clears the three places.
 * @typedef {Object} SuggestionOnScreen
 * @property {string} suggestion_id
 * @property {string} segment_id
 * @property {string} query
 * @property {string} kb_version
 * @property {number} confidence
 * @property {Array<CardOnScreen>} cards
 */

/** The set of cards changed.
 * @typedef {Object} SuggestionShown
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"suggestion.shown"} type
 * @property {SuggestionOnScreen} suggestion
 */

/** Hand the call to another operator.
 * @typedef {Object} TransferCall
 * @property {"call.transfer"} type
 * @property {string} operator_id
 * @property {string} message
 */

/** One handing over of the call.
 * @typedef {Object} TransferOnScreen
 * @property {string|null} from_operator
 * @property {string} to_operator
 * @property {string} message
 * @property {string} at
 * @property {string|null} by
 */

/** Put back what was heard; `index` counts the segment's corrections from 0.
 * @typedef {Object} UndoCorrection
 * @property {"correction.undo"} type
 * @property {string} segment_id
 * @property {number} index
 */

/** A piece of text with its place in media time.
 * @typedef {Object} WordOnScreen
 * @property {string} text
 * @property {number} start_s
 * @property {number} end_s
 * @property {number} probability
 */

/** A person set fields of the wrap-up, or gave them back to the drafts.
 * @typedef {Object} WorkOrderChanged
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"work_order.changed"} type
 * @property {WorkOrderOnScreen} work_order
 * @property {Array<ChangeOnScreen>} changes
 * @property {string} by
 */

/** The wrap-up was drafted anew; what people set stays in it.
 * @typedef {Object} WorkOrderDrafted
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"work_order.drafted"} type
 * @property {WorkOrderOnScreen} work_order
 */

/** A work order was made of the wrap-up.
 * @typedef {Object} WorkOrderMade
 * @property {number|null} seq
 * @property {string} at
 * @property {string|null} call_id
 * @property {"work_order.made"} type
 * @property {WorkOrderOnScreen} work_order
 * @property {string} by
 */

/** The wrap-up of a call as it stands. `version` counts what people changed.
 * @typedef {Object} WorkOrderOnScreen
 * @property {number} version
 * @property {string} engine
 * @property {boolean} is_final
 * @property {FieldOnScreen} kind
 * @property {FieldOnScreen} urgency
 * @property {FieldOnScreen} caller_name
 * @property {FieldOnScreen} caller_phone
 * @property {FieldOnScreen} district
 * @property {FieldOnScreen} place
 * @property {FieldOnScreen} category
 * @property {FieldOnScreen} department
 * @property {FieldOnScreen} summary
 * @property {FieldOnScreen} detail
 * @property {string|null} department_id
 * @property {Array<ChoiceOnScreen>} departments
 * @property {Array<SourceOnScreen>} knowledge
 * @property {OrderMadeOnScreen|null} order
 */

/** Take a note, change the one of that identifier, or take it away (empty text).
 * @typedef {Object} WriteNote
 * @property {"note.write"} type
 * @property {string} note_id
 * @property {string} text
 */

/** @typedef {CallSnapshot|CallStarted|SegmentShown|SegmentCorrected|SuggestionShown|SuggestionMarked|NoteTaken|NoteChanged|CallTransferred|QuestionAnswered|CallDegraded|CallLag|CallLost|CallInterrupted|CallReconnected|CallEnded|AlarmRaised|AlarmTaken|AlarmRated|KnowledgePublished|WorkOrderDrafted|WorkOrderChanged|WorkOrderMade|StreamAlive|ErrorShown} ScreenEvent */

/** @typedef {CallListSnapshot|CallStarted|CallLine|CallTransferred|CallLag|CallDegraded|CallLost|CallInterrupted|CallReconnected|CallEnded|AlarmRaised|AlarmTaken|AlarmRated|KnowledgePublished|StreamAlive|ErrorShown} CallListEvent */

/** @typedef {MarkSuggestion|UndoCorrection|CorrectSegment|RestoreSegment|WriteNote|TransferCall|AskQuestion} ScreenCommand */

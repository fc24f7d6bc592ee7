"""Raw text becomes readable Chinese; loops and credits are told from speech."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.guard import is_loop, without_credits
from asr.text import punctuated, readable, simplified


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("聽得到的先生", "听得到的先生"),
        ("他看著我 沿著這條路走", "他看着我 沿着这条路走"),
        ("著名的著作 顯著的成績", "著名的著作 显著的成绩"),
        ("衣服乾了 乾淨 乾隆 乾坤", "衣服干了 干净 乾隆 乾坤"),
        ("甚麼計畫", "什么计划"),
        ("后来皇后说里程和公里", "后来皇后说里程和公里"),
        ("舟山市民", "舟山市民"),
    ],
)
def test_script(raw: str, text: str) -> None:
    assert simplified(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("您好,请问有什么可以帮您?", "您好，请问有什么可以帮您？"),
        ("环南街道 环城南路的216号 叫老陈五金店", "环南街道，环城南路的216号，叫老陈五金店"),
        ("电话1380 580 7394 这两天", "电话13805807394 这两天"),
        ("涨了3.5, 到10:30,一共1,200元.", "涨了3.5，到10:30，一共1,200元。"),
        ("我 要 投诉", "我要投诉"),
        ("好的。。, 谢谢!?", "好的。谢谢？"),
        ("，，好", "好"),
        ("我用Wi-Fi, Hello, world.", "我用Wi-Fi, Hello, world."),
        ("你好 。 再见", "你好。再见"),
        ("", ""),
    ],
)
def test_punctuation(raw: str, text: str) -> None:
    assert punctuated(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("麻煩您說一下具體位置", "麻烦您说一下具体位置。"),
        ("雞水大概有多深 店裡進水了嗎", "鸡水大概有多深，店里进水了吗？"),
        ("那要多少錢", "那要多少钱？"),
        ("那么", "那么。"),
        ("好的，", "好的。"),
        ("行！", "行！"),
        ("我住在\ufffd海区", "我住在海区。"),
        ("\ufffd", ""),
        ("，。", ""),
        ("OK", "OK"),
    ],
)
def test_finals_end_as_sentences_do(raw: str, text: str) -> None:
    assert readable(raw, is_final=True) == text


def test_partials_are_left_open() -> None:
    assert readable("麻煩您說一下", is_final=False) == "麻烦您说一下"


@given(st.text(alphabet="我要投诉車輛,，。.?!？ 13:ab\ufffd", max_size=40), st.booleans())
def test_readable_text_stays_as_it_is(raw: str, is_final: bool) -> None:
    once = readable(raw, is_final=is_final)
    assert "\ufffd" not in once
    assert readable(once, is_final=is_final) == once


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("朗" * 30, 10.0),
        ("你 你 你 你 你 你 你 你", 4.0),
        ("好的好的好的好的好的好的好的", 5.0),
        ("我们这里停水了," * 4, 12.0),
        ("这是一句在一秒钟里谁也说不完的话因为它实在是太长太长太长了", 1.0),
        ("我想问一下公积金怎么提取" * 8, 20.0),
    ],
)
def test_loops(text: str, seconds: float) -> None:
    assert is_loop(text, seconds)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("喂喂喂喂喂", 2.0),
        ("喂 喂 喂 喂", 4.0),
        ("对对对对对对", 2.0),
        ("电话是13800000000", 4.0),
        ("好的好的好的，谢谢谢谢", 2.0),
        ("我们店门口这条路，雨才下了一个钟头，水就漫到台阶上来了，路边那几个雨水口全让树叶给糊死了", 8.0),
        ("", 0.5),
    ],
)
def test_what_people_say_is_no_loop(text: str, seconds: float) -> None:
    assert not is_loop(text, seconds)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("请不吝点赞 订阅 转发 打赏支持明镜与点点栏目", ""),
        ("請不吝點贊訂閱轉發打賞支持明鏡與點點欄目", ""),
        ("字幕由 Amara.org 社群提供", ""),
        ("中文字幕志愿者 李宗盛", ""),
        ("词曲 李宗盛", ""),
        ("谢谢观看", ""),
        ("感谢大家收看", ""),
        ("字幕製作:貝爾", ""),
        ("Thank you for watching!", ""),
        ("好的，谢谢。谢谢观看", "好的，谢谢。"),
    ],
)
def test_credits_are_left_out(text: str, left: str) -> None:
    assert without_credits(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "谢谢你帮我看一下",
        "我要取消订阅，请帮我取消订阅",
        "主播打赏的钱能退吗",
        "电视字幕没有了，由于信号不好",
        "谢谢大家",
    ],
)
def test_what_citizens_say_is_no_credit(text: str) -> None:
    assert without_credits(text) == text

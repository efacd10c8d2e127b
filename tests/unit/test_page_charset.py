"""Which characters a page's bytes are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scraper.charset import decode
from services.scraper.prescan import declared_label

RUSSIAN = "Старый мост через реку открыли снова, и по нему пошли люди."
SENTENCES = {
    "shift_jis": "この写真は昨日、山の上で撮りました。とても寒い日でした。",
    "big5": "這條老街的圖片在功夫館裡，請大家來看看。",
    "gb18030": "这些老照片是爷爷留下的，共有三百张。",
}


def test_a_bom_is_stronger_than_the_header() -> None:
    assert decode(b"\xef\xbb\xbf\xc3\xa9", "text/html; charset=windows-1251") == "é"
    assert decode("\ufeffжар".encode("utf-16-le"), "text/html; charset=utf-8") == "жар"
    assert decode("\ufeffжар".encode("utf-16-be")) == "жар"


@pytest.mark.parametrize("header", ["charset=KOI8-R", 'charset="koi8-r"', "charset = 'koi8'", "Charset=cskoi8r;q=1"])
def test_the_header_is_stronger_than_the_page(header: str) -> None:
    body = b"<meta charset=windows-1251>" + RUSSIAN.encode("koi8-r")
    assert decode(body, f"text/html; {header}").endswith(RUSSIAN)


def test_an_unknown_label_is_passed_over() -> None:
    body = b"<meta charset=koi8-r>" + RUSSIAN.encode("koi8-r")
    for label in ("klingon", "utf-7", "hz-gb-2312", "", "é", "\ud800"):
        assert decode(body, f"text/html; charset={label}").endswith(RUSSIAN)


def test_labels_are_those_of_the_encoding_standard() -> None:
    assert decode(b"\x93\x80\x94", "text/html; charset=us-ascii") == "“€”"
    assert decode("①～".encode("cp932"), "text/html; charset=sjis") == "①～"
    assert decode("똠방각하".encode("cp949"), "text/html; charset=ks_c_5601-1987") == "똠방각하"
    assert decode("镕㐂".encode("gb18030"), "text/html; charset=gb2312") == "镕㐂"
    assert decode("功夫館".encode("big5hkscs"), "text/html; charset=big5-hkscs") == "功夫館"


def test_a_declaration_that_cannot_be_true_is_not_believed() -> None:
    assert decode("é".encode(), "text/html; charset=iso-8859-1") == "é"
    assert decode(b"<meta charset=windows-1251>" + RUSSIAN.encode("cp1251"), "text/html; charset=utf-8").endswith(
        RUSSIAN
    )


def test_a_few_broken_bytes_do_not_change_the_encoding() -> None:
    assert decode("żółw ".encode() * 20 + b"\xff", "text/html; charset=utf-8").endswith("żółw \ufffd")


def test_a_character_cut_in_two_at_the_end_does_not_either() -> None:
    assert decode("żółw ż".encode()[:-1]).startswith("żółw")


@pytest.mark.parametrize(
    "encoding", ["cp1251", "koi8-r", "shift_jis", "big5", "gb18030", "cp866", "utf-16-le", "utf-16-be"]
)
def test_what_is_not_declared_is_detected(encoding: str) -> None:
    sentence = SENTENCES.get(encoding, RUSSIAN)
    page = f"<title>x</title><p>{sentence}</p><p>{sentence}</p>"
    assert sentence in decode(page.encode(encoding))


def test_without_any_hint_it_is_windows_1252() -> None:
    assert decode(b"<p>caf\xe9") == "<p>café"


def test_control_characters_are_left_out_and_lines_end_alike() -> None:
    assert decode(b"a\0b\x01\x1b[0m\tc\r\nd\re\x7f\xc2\x85\xef\xbf\xbf\x0cf") == "ab[0m\tc\nd\ne f"


@pytest.mark.parametrize(
    ("head", "label"),
    [
        (b"<meta charset=koi8-r>", "koi8-r"),
        (b"<META\nCHARSET = 'x y' >", "x y"),
        (b'<meta name=a content="charset=no"><meta charset="yes">', "yes"),
        (b'<meta http-equiv="Content-Type" content="text/html; charset=big5">', "big5"),
        (b"<meta content='text/html; charset = \"big5\"' http-equiv=content-type>", "big5"),
        (b"<!-- <meta charset=no> --><meta charset=yes>", "yes"),
        (b"<!--><meta charset=yes>", "yes"),
        (b"<a title='<meta charset=no>'><meta charset=yes>", "yes"),
        (b"<meta/charset=yes>", "yes"),
        (b"<metadata charset=no><meta charset=yes>", "yes"),
        (b"</p charset=no><?php <meta charset=no?><!x><meta charset=yes>", "yes"),
        (b"<meta charset=first charset=second>", "first"),
        (b'<?xml version="1.0" encoding="shift_jis"?>', "shift_jis"),
        (b" <?xml encoding='no'?>", None),
        (b"<meta http-equiv=refresh content='charset=no'>", None),
        (b"<!-- <meta charset=no>", None),
        (b"<meta charset", None),
        (b"", None),
    ],
)
def test_the_prescan_follows_the_standard(head: bytes, label: str | None) -> None:
    assert declared_label(head) == label


def test_a_page_that_declares_utf_16_in_ascii_is_utf_8() -> None:
    assert decode("<meta charset=utf-16>é".encode()).endswith("é")


@given(st.binary(max_size=400), st.text(max_size=40))
def test_any_bytes_become_text_that_can_be_stored(body: bytes, header: str) -> None:
    text = decode(body, f"text/html; charset={header}")
    text.encode()
    assert not [
        character
        for character in text
        if character not in "\n\t" and not ("\x20" <= character < "\x7f" or character >= "\xa0")
    ]


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufeff\ufffe\uffff")))
def test_declared_utf_8_comes_back_as_it_was(text: str) -> None:
    assert decode(text.encode(), "text/html; charset=utf-8") == text

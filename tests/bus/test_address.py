"""Addresses of others: read, refused in a line that shows nothing, told without their secrets."""

from urllib.parse import quote

import pytest
from bus.address import Address, AddressError, hide_addresses, hide_logins
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("sign", "/?#@[] %")
@pytest.mark.parametrize("host", ["door", "192.168.1.9", "[::1]:554", "door.example.org:8554"])
@pytest.mark.parametrize("scheme", ["rtsp", "rtsps", "http", "rtmp", "srt", "whip"])
def test_a_password_that_was_not_encoded_is_refused(scheme: str, host: str, sign: str) -> None:
    with pytest.raises(AddressError) as error:
        Address.parse(f"{scheme}://admin:Geheim{sign}Nis@{host}/live?x=1")
    assert str(error.value) == f"the password contains '{sign}': write it as {quote(sign, safe='')}"


@pytest.mark.parametrize(
    ("url", "sign"),
    [
        # Each may be a login and may be a path: the remedy for both is told.
        ("rtsp://admin:1234/5@door/live", "/"),
        ("rtsp://admin:p@ss/word@door/live", "/"),
        ("rtsp://ad/min:word@door/live", "/"),
        ("http://door:8080?mail=a:b@door", "?"),
        ("rtsp://admin:99#word@door", "#"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused_with_both_remedies(url: str, sign: str) -> None:
    with pytest.raises(AddressError) as error:
        Address.parse(url)
    text = str(error.value)
    assert f"write it as {quote(sign, safe='')}" in text
    assert "as %40" in text
    for word in ("admin", "1234", "word", "door", "mail"):
        assert f"{word}" not in text.replace("the password", "")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://door", "rtsp://door"),
        ("rtsp://door/", "rtsp://door"),
        ("RTSP://me@door:554/live", "rtsp://door:554/…"),
        ("rtsp://me:a:b@[::1]:554/live", "rtsp://[::1]:554/…"),
        ("rtsp://me:p%2Fs@[fe80::1%25eth0]/live", "rtsp://[fe80::1%25eth0]/…"),
        ("http://door/cgi?mail=me@example.org", "http://door/…"),
        ("http://192.168.1.9:8080/cgi?mail=a:b@door", "http://192.168.1.9:8080/…"),
        ("http://[::1]:8080/a:b@c", "http://[::1]:8080/…"),
        ("udp://@239.1.2.3:5000", "udp://239.1.2.3:5000"),
        ("udp://@:5000", "udp://:5000"),
        ("srt://door:9000?passphrase=geheim", "srt://door:9000/…"),
    ],
)
def test_only_scheme_host_and_port_are_shown(url: str, shown: str) -> None:
    assert Address.parse(url).shown == shown


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("door/live", "no scheme"),
        ("", "no scheme"),
        ("rtsp:///live", "names no host"),
        ("rtsp://admin:Geheim", "host and port"),
        ("rtsp://admin:Geheim/live", "host and port"),
        ("rtsp://door:port/live", "host and port"),
        ("rtsp://::1/live", "host and port"),
        ("rtsp://door/a b", "write it as %20"),
        ("rtsp://door/a\nb", "control character"),
        ("rtsp://door/" + "a" * 2000, "longer than"),
    ],
)
def test_what_is_no_address_is_told(url: str, says: str) -> None:
    with pytest.raises(AddressError, match=says) as error:
        Address.parse(url)
    assert "Geheim" not in str(error.value)
    assert "live" not in str(error.value)


GEHEIM = "Ge-heim_7"
EVERYWHERE = [
    f"rtsp://{GEHEIM}:x@door/live",
    f"rtsp://me:{GEHEIM}@door/live",
    f"http://door/axis-cgi/mjpg/video.cgi?user=admin&pwd={GEHEIM}",
    f"rtsp://door/user=admin_password={GEHEIM}_channel=1_stream=0.sdp?real_stream",
    f"rtmp://door/live/{GEHEIM}",
    f"rtmp://door/live/{GEHEIM}?token=abc",
    f"rtsps://door:7441/{GEHEIM}?enableSrtp",
    f"srt://door:9000?streamid=#!::u=me,s={GEHEIM}&passphrase=0123456789",
    f"https://door/list.m3u8#{GEHEIM}",
    f"whip://door/w/{GEHEIM}",
]


@pytest.mark.parametrize("url", EVERYWHERE)
@pytest.mark.parametrize(
    "said",
    [
        "{}: Connection refused",
        "[rtsp @ 0x5] Impossible to open '{}'",
        "stream {1} not found",
        "a=control:{}/trackID=1 is odd",
        "Connection to {} failed",
        'GET "{1}" 404',
    ],
)
def test_no_part_of_an_address_is_left_in_a_text(url: str, said: str) -> None:
    hidden = Address.parse(url).hide(said.format(url, GEHEIM))
    assert GEHEIM not in hidden
    assert hide_addresses(url) == Address.parse(url).shown


@pytest.mark.parametrize("form", ["p@ss/w", "p%40ss%2Fw", "p%40ss%2fw", "bWU6cEBzcy93"])
def test_secrets_are_hidden_in_every_encoding(form: str) -> None:
    hidden = Address.parse("rtsp://me:p%40ss%2Fw@door/live").hide(f"tried {form} in vain")
    assert hidden == "tried … in vain"


def test_words_that_only_contain_a_short_secret_stay() -> None:
    hide = Address.parse("rtsp://cam:no@door/live").hide
    assert hide("the camera cam, not no one, is alive") == "the camera …, not … one, is alive"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("at http://me:pw@door/x?key=1: 401", "at http://door/… 401"),
        ("at rtsp://me:p w/d@x@door/x.", "at rtsp://door/…."),
        ("'http://a:b@door', http://other/x?y", "'http://door', http://other/…"),
        ("see rtsp://admin:Geheim", "see rtsp://…"),
        ("tcp://127.0.0.1:554: refused", "tcp://127.0.0.1:554: refused"),
        ("mail me@example.org", "mail me@example.org"),
    ],
)
def test_other_addresses_in_a_text_are_hidden_too(text: str, hidden: str) -> None:
    assert hide_addresses(text) == hidden


def test_a_log_keeps_paths_and_loses_logins_and_queries() -> None:
    text = "GET http://me:pw@door/live?key=1 HTTP/1.1\nat line 2: b@c"
    assert hide_logins(text) == "GET http://door/live?… HTTP/1.1\nat line 2: b@c"


@given(st.text(min_size=6, alphabet=st.characters(min_codepoint=33, max_codepoint=0x2FF)))
def test_a_password_of_any_characters_is_hidden_or_refused(password: str) -> None:
    url = f"rtsp://me:{password}@door:554/live"
    try:
        address = Address.parse(url)
    except AddressError as error:
        assert password not in str(error)
    else:
        assert password not in address.shown
        assert password not in address.hide(f"no way to {url}: {password}")
        assert address.url == url

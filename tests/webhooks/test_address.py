import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.address import BadAddress, clean
from webhooks.egress import Guard

GUARD = Guard()


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://example.com/a?b=c", "https://example.com/a?b=c"),
        ("\n  https://example.com/a\r\n\t/b \n", "https://example.com/a/b"),
        ("HTTPS://EXAMPLE.com/A", "https://example.com/A"),
        ("https://example.com:443/", "https://example.com:443/"),
        ("http://example.com:443/", "http://example.com:443/"),
        ("https://example.com/a b/é?q=ü&r=%20", "https://example.com/a%20b/%C3%A9?q=%C3%BC&r=%20"),
        ("https://example.com/a#part", "https://example.com/a"),
        ("https://müller.example/x", "https://xn--mller-kva.example/x"),
        ("https://example.com./x", "https://example.com/x"),
        ("http://[2001:db8::1]/x", "http://[2001:db8::1]/x"),
        ("https://example.com", "https://example.com"),
    ],
)
def test_a_url_is_made_fit_to_call(text, url):
    assert clean(text, GUARD).url == url


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "came out empty"),
        ("  \n", "came out empty"),
        ("example.com/x", "must start with http"),
        ("ftp://example.com/", "must start with http"),
        ("javascript:alert(1)", "must start with http"),
        ("https:///path", "no host"),
        ("https://user:pw@example.com/", "credentials into a header"),
        ("https://example.com:8080/", "port 8080; webhooks may use 80 and 443"),
        ("https://example.com:99999/", "not a valid URL"),
        ("http://[::1:9000/x", "not a valid URL"),
        ("http://a..b/", "not a valid host name"),
        ("http://" + "a" * 70 + ".example/", "not a valid host name"),
        ("http://exa mple.com/", "not a valid host name"),
        ("https://example.com/" + "a" * 9000, "at most 8192"),
        ("https://example.com/\x00", "control character"),
    ],
)
def test_a_url_that_cannot_be_called_says_why(text, words):
    with pytest.raises(BadAddress, match=words):
        clean(text, GUARD)


@given(st.text(max_size=200))
def test_any_text_is_an_address_or_a_sentence(text):
    try:
        address = clean(f"https://example.com/{text}", GUARD)
    except BadAddress:
        return
    assert address.host == "example.com" or "@" in text
    assert address.url.isascii()
    assert not set(address.url) & set("\r\n\t \x00")

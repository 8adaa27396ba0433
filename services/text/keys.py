"""The rules by which two texts count as the same: edges, search keys, digits, domains.

The same definitions exist as SQL functions (db/migrations/sql/0012_texts.sql: `fold`, `email_key`, `digits`), which
make the stored keys; a test compares the two over all of Unicode. The tables below are those of Unicode 18, whichever
version Python and the server have: PostgreSQL 15 and Python 3.11 have Unicode 14.
"""

import re
import unicodedata
from typing import Final

# White space, control and format characters, fillers and variation selectors: all are invisible at an edge.
_EDGES = """
    0000-0020 007F-00A0 00AD 034F 0600-0605 061C 06DD 070F 0890-0891 08E2 115F-1160 1680 17B4-17B5
    180B-180F 2000-200F 2028-202F 205F-2064 2066-206F 2800 3000 3164 FE00-FE0F FEFF FFA0 FFF9-FFFB
    110BD 110CD 13430-1343F 1BCA0-1BCA3 1D173-1D17A E0001 E0020-E007F E0100-E01EF
"""
# The zero of each script's decimal digits; the other nine follow it.
_ZEROS = """
    0030 0660 06F0 07C0 0966 09E6 0A66 0AE6 0B66 0BE6 0C66 0CE6 0D66 0DE6 0E50 0ED0 0F20 1040 1090 17E0
    1810 1946 19D0 1A80 1A90 1B50 1BB0 1C40 1C50 A620 A8D0 A900 A9D0 A9F0 AA50 ABF0 FF10 104A0 10D30
    10D40 11066 110F0 11136 111D0 112F0 11450 114D0 11650 116C0 116D0 116DA 11730 118E0 11950 11BF0
    11C50 11D50 11DA0 11DE0 11F50 16130 16A60 16AC0 16B50 16D70 1CCF0 1D7CE 1D7D8 1D7E2 1D7EC 1D7F6
    1E140 1E2F0 1E4F0 1E5F1 1E950 1FBF0
"""
# What `lower` leaves of letter case: letters whose capital is another letter's too, such as ς, ſ and ı.
_FOLDED = """
    00B5=03BC 017F=0073 0345=03B9 03C2=03C3 03D0=03B2 03D1=03B8 03D5=03C6 03D6=03C0 03F0=03BA 03F1=03C1
    03F5=03B5 1C80=0432 1C81=0434 1C82=043E 1C83=0441 1C84=0442 1C85=0442 1C86=044A 1C87=0463 1C88=A64B
    0131=0069
    00DF=0073+0073 0149=02BC+006E 0587=0565+0582 1E9A=0061+02BE 1E9E=0073+0073 FB00=0066+0066
    FB01=0066+0069 FB02=0066+006C FB03=0066+0066+0069 FB04=0066+0066+006C FB05=0073+0074 FB06=0073+0074
    FB13=0574+0576 FB14=0574+0565 FB15=0574+056B FB16=057E+0576 FB17=0574+056D
"""
_OLD_CYRILLIC = " 1C80=0432 1C81=0434 1C82=043E 1C83=0441 1C84=0442 1C85=0442 1C86=044A 1C87=0463 1C88=A64B"
# Capital letters that Unicode has received since version 14.
_LATE_CAPITALS = """
    1C89=1C8A A7CB=0264 A7CC=A7CD A7CE=A7CF A7D2=A7D3 A7D4=A7D5 A7DA=A7DB A7DC=019B A7DD=0277 A7E2=027C
    AB6C=AB4B AB6D=AB4C 10D50=10D70 10D51=10D71 10D52=10D72 10D53=10D73 10D54=10D74 10D55=10D75
    10D56=10D76 10D57=10D77 10D58=10D78 10D59=10D79 10D5A=10D7A 10D5B=10D7B 10D5C=10D7C 10D5D=10D7D
    10D5E=10D7E 10D5F=10D7F 10D60=10D80 10D61=10D81 10D62=10D82 10D63=10D83 10D64=10D84 10D65=10D85
    16EA0=16EBB 16EA1=16EBC 16EA2=16EBD 16EA3=16EBE 16EA4=16EBF 16EA5=16EC0 16EA6=16EC1 16EA7=16EC2
    16EA8=16EC3 16EA9=16EC4 16EAA=16EC5 16EAB=16EC6 16EAC=16EC7 16EAD=16EC8 16EAE=16EC9 16EAF=16ECA
    16EB0=16ECB 16EB1=16ECC 16EB2=16ECD 16EB3=16ECE 16EB4=16ECF 16EB5=16ED0 16EB6=16ED1 16EB7=16ED2
    16EB8=16ED3 1DF40=1DF41 1DF48=1DF49 1DF4A=1DF4B 1DF4D=1DF4E 1DF51=1DF52 1DF68=1DF69 1DF6A=1DF6B
    1DF6C=1DF6D 1DF6E=1DF6F 1DF72=1DF73 1DF74=1DF75 1DF76=1DF77 1DF78=1DF79 1DF7A=1DF7B 1DF7C=1DF7D
    1DF7E=1DF7F
"""
# Letters added since version 14 that are composed of others. Which of the two forms NFC prefers depends on its version.
_LATE_COMPOSED = """
    105C9=105D2+0307 105E4=105DA+0307 11383=11382+113C9 11385=11384+113BB 1138E=1138B+113C2
    11391=11390+113C9 113C5=113C2+113C2 113C7=113C2+113B8 113C8=113C2+113C9 16121=1611E+1611E
    16122=1611E+16129 16123=1611E+1611F 16124=16129+1611F 16125=1611E+16120 16126=1611E+1611E+1611F
    16127=1611E+16129+1611F 16128=1611E+1611E+16120 16D68=16D67+16D67 16D69=16D63+16D67
    16D6A=16D63+16D67+16D67
"""
# Forms of other letters that NFKC replaces: the lunate sigma and the final ones of mathematics, which UTS 46 takes for
# σ, and what Unicode has received since version 14.
_LATE_COMPATIBLE = """
    03F2=03C3 1D6D3=03C3 1D70D=03C3 1D747=03C3 1D781=03C3 1D7BB=03C3 0558=0567 058B=056B 058C=0575
    209D=0077 209E=0079 209F=007A A7F1=0053 107BB=0287 107BC=0296 107BD=0297 107BE=029E 107BF=1DF0B
    1B123=3053+3068 1B124=30C8+30AD 1B125=30C8+30C6 1B126=30E8+30EA 1CCD6=0041 1CCD7=0042 1CCD8=0043
    1CCD9=0044 1CCDA=0045 1CCDB=0046 1CCDC=0047 1CCDD=0048 1CCDE=0049 1CCDF=004A 1CCE0=004B 1CCE1=004C
    1CCE2=004D 1CCE3=004E 1CCE4=004F 1CCE5=0050 1CCE6=0051 1CCE7=0052 1CCE8=0053 1CCE9=0054 1CCEA=0055
    1CCEB=0056 1CCEC=0057 1CCED=0058 1CCEE=0059 1CCEF=005A 1CCF0=0030 1CCF1=0031 1CCF2=0032 1CCF3=0033
    1CCF4=0034 1CCF5=0035 1CCF6=0036 1CCF7=0037 1CCF8=0038 1CCF9=0039 1D6A6=00DF 1DF95=00DF 1DFCD=1DF57
    1DFCE=1DF58 1DFCF=1DF59 1DFD0=0263 1DFD1=1D18 1DFD2=0180 1DFD3=0111 1DFD4=01E5 1DFD5=0142
    1DFD6=019A 1DFD7=1DF50 1DFD8=1DF3E 1DFD9=0249 1DFDA=1D7F 1DFDB=1DF3F 1DFDC=019E 1DFDD=027C
    1DFDE=0238 1DFDF=0239 1DFE0=1DF2B 1DFE1=1DF19 1DFE2=0286 1DFE3=1D98 1DFE4=1DF2C 1DFE5=1DF1C
    1DFE6=0293 1DFE7=1D9A 1DFE8=1D05 1DFE9=1D00 1DFEA=1D07 1DFEB=027F 1DFEC=0285 1DFED=02AE 1DFEE=02AF
    1DFEF=0221 1DFF0=0234 1DFF1=0235 1DFF2=0236 1DFF3=03C8 1DFF4=03C9 1DFF5=1D81 1DFF6=A795 1DFF7=1D87
    1DFF8=1D8A 1DFF9=1D8E 1DFFA=0188 1DFFB=0199 1DFFC=01A5 1DFFD=02A0 1DFFE=01AD 1DFFF=1DF09 1E030=0430
    1E031=0431 1E032=0432 1E033=0433 1E034=0434 1E035=0435 1E036=0436 1E037=0437 1E038=0438 1E039=043A
    1E03A=043B 1E03B=043C 1E03C=043E 1E03D=043F 1E03E=0440 1E03F=0441 1E040=0442 1E041=0443 1E042=0444
    1E043=0445 1E044=0446 1E045=0447 1E046=0448 1E047=044B 1E048=044D 1E049=044E 1E04A=A689 1E04B=04D9
    1E04C=0456 1E04D=0458 1E04E=04E9 1E04F=04AF 1E050=04CF 1E051=0430 1E052=0431 1E053=0432 1E054=0433
    1E055=0434 1E056=0435 1E057=0436 1E058=0437 1E059=0438 1E05A=043A 1E05B=043B 1E05C=043E 1E05D=043F
    1E05E=0441 1E05F=0443 1E060=0444 1E061=0445 1E062=0446 1E063=0447 1E064=0448 1E065=044A 1E066=044B
    1E067=0491 1E068=0456 1E069=0455 1E06A=045F 1E06B=04AB 1E06C=A651 1E06D=04B1
"""


def _table(text: str) -> dict[int, str]:
    pairs = (pair.split("=") for pair in text.split())
    return {int(code, 16): "".join(chr(int(part, 16)) for part in other.split("+")) for code, other in pairs}


def _edge_characters() -> frozenset[str]:
    ranges = (part.partition("-") for part in _EDGES.split())
    return frozenset(
        chr(code) for first, _, last in ranges for code in range(int(first, 16), int(last or first, 16) + 1)
    )


EDGES: Final = _edge_characters()
_EDGE_TEXT: Final = "".join(sorted(EDGES))
_DIGITS: Final = {int(zero, 16) + value: str(value) for zero in _ZEROS.split() for value in range(10)}
_CASE: Final = _table(_FOLDED) | _table(_LATE_CAPITALS)
# Where `lower` depends on what comes next, or on the version.
_DOMAIN_CASE: Final = _table("0345=03B9 03A3=03C3 1E9E=00DF" + _OLD_CYRILLIC + _LATE_CAPITALS)
_FORMS: Final = _table(_LATE_COMPATIBLE)
_COMPOSED: Final = _table(_LATE_COMPOSED)
_DOTTED_I: Final = re.compile("i\u0307+")
_DOMAIN_DOTS: Final = dict.fromkeys(map(ord, "\u3002\uff0e\uff61"), ".")
# Characters that UTS 46 removes, besides the joiners, which IDNA 2008 allows.
_IGNORED_IN_DOMAINS: Final = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2064\u206a-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0100-\U000e01ef]"
)


def strip_edges(text: str) -> str:
    """The text without invisible characters at its ends: mail programs put direction marks around copied text."""
    return text.strip(_EDGE_TEXT)


def search_key(text: str | None) -> str | None:
    """The text as searches compare it; None when nothing of it is visible.

    Ignored are letter case, whether an accent is part of its letter or a combining mark (NFC), and invisible characters
    at the edges. A key is its own key. The SQL function `fold` gives the same.
    """
    if text is None:
        return None
    text = strip_edges(text)
    if text.isascii():
        return text.lower() or None
    folded = unicodedata.normalize("NFD", text).lower().translate(_CASE)
    # The dot of the Turkish capital İ, whose small letter is i.
    folded = unicodedata.normalize("NFC", _DOTTED_I.sub("i", folded))
    return folded.translate(_COMPOSED) or None


def email_key(text: str | None) -> str | None:
    """An e-mail address as searches and accounts compare it; None when nothing of it is visible.

    The domain is compared as mail servers do (IDNA 2008): ß is not ss, and `xn--` is the same domain in another
    spelling. The SQL function of that name gives the same.
    """
    local, at, domain = strip_edges(text or "").rpartition("@")
    if not at:
        return search_key(domain)
    return f"{search_key(local) or ''}@{domain_key(domain)}"


def domain_key(domain: str) -> str:
    """A domain in lower-case Unicode letters, in whichever form it was written."""
    if not domain.isascii():
        domain = _IGNORED_IN_DOMAINS.sub("", domain.translate(_DOMAIN_DOTS))
        domain = _lower_domain(unicodedata.normalize("NFKD", domain.translate(_FORMS)))
        domain = unicodedata.normalize("NFKC", domain)
    domain = domain.lower()
    if "xn--" not in domain:
        return domain
    return ".".join(_decoded(label) for label in domain.split("."))


def ascii_digits(text: str) -> str:
    """The text with the decimal digits of every script as 0-9 and everything else unchanged."""
    return text if text.isascii() else text.translate(_DIGITS)


def digits_of(text: str | None) -> str | None:
    """The digits alone, as 0-9; None when there are none. The SQL function `digits` gives the same."""
    return re.sub("[^0-9]", "", ascii_digits(text or "")) or None


def _decoded(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
        decoded.encode()
    except UnicodeError:  # neither ASCII nor Punycode, or half of a surrogate pair
        return label
    if not decoded or decoded.isascii():
        return label
    return unicodedata.normalize("NFC", _lower_domain(unicodedata.normalize("NFD", decoded)))


def _lower_domain(text: str) -> str:
    return text.translate(_DOMAIN_CASE).lower()

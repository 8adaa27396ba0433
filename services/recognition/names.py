"""Names of people and companies: what remains of a text when everything else has been recognised."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from services.recognition.pieces import Kind, Meaning, Piece
from services.recognition.tokens import Token
from services.recognition.words import words_of
from services.text.keys import search_key

MOST_WORDS: Final = 6
_LONGEST_COMPANY: Final = 8
# Legal forms behind a name; those of two letters only in capitals.
_FORMS: Final = words_of(
    "ltd ltd. limited llc llc. l.l.c. inc inc. incorporated corp corp. corporation plc llp lp gmbh mbh"
    " ggmbh ag kg kgaa ug ohg gbr e.v. ev eg e.k. s.a. sa se s.a.s. sas sasu sarl s.a.r.l. eurl snc scop s.l."
    " sl s.l.u. slu srl s.r.l. s.p.a. spa s.n.c. sapa bv b.v. nv n.v. vof ab as a/s aps ans oy oyj hf ehf"
    " kft kft. zrt zrt. nyrt nyrt. bt bt. s.r.o. sro a.s. sp. spk z.o.o. zoo d.o.o. doo d.d. ood eood ad"
    " pty pvt pvt. co co. co.,ltd. lda lda. ltda ltda. eireli s.a.b. cv c.v. ооо оао зао ао пао ип тов тоо"
    " чп фоп ooo oao zao aş a.ş. şti şti. k.k. kk g.k. sdn bhd pte pt tbk p.t. company cie cie. group"
    " holding holdings gbmh οε επε αε α.ε. בע\"מ ש.מ.מ ش.م.م ذ.م.م 株式会社 有限会社 合同会社 有限公司 주식회사 (株)"
)  # fmt: skip
_BEFORE: Final = words_of(
    "ооо оао зао ао пао ип тов тоо чп фоп شركة 株式会社 有限会社 合同会社 주식회사 pt cv"
)
_INSIDE: Final = re.compile(
    "株式会社|有限会社|合同会社|有限公司|股份|주식회사|\\(株\\)|（株）|㈱|公司|集団|集团"
)
_AND: Final = words_of("of and & + de la the y et und e i - du der")
PARTICLES: Final = words_of(
    "von van de der den del della di da dos das du la le al el bin ibn ben ter ten zu zum mac mc st st."
    " san santa o'"
)


def company_at(tokens: list[Token], start: int, stops: frozenset[int]) -> Piece | None:
    """A company that is known by its legal form. `stops` are tokens that are part of something else."""
    if tokens[start].quoted:
        has_form = any(_is_form_word(word) for word in tokens[start].text.split()[1:])
        return _company(tokens, start, start + 1) if has_form else None
    if _INSIDE.search(tokens[start].text) and not is_legal_form(tokens[start]):
        return _company(tokens, start, start + 1)
    if tokens[start].key in _BEFORE:
        after = start + 1
        while (
            after < len(tokens) and after - start < 4 and after not in stops and not tokens[after - 1].breaks
        ):
            after += 1
        return _company(tokens, start, after) if after > start + 1 else None
    end: int | None = None
    for at in range(start, min(start + _LONGEST_COMPANY, len(tokens))):
        if at in stops or (at > start and tokens[at - 1].breaks and not is_legal_form(tokens[at])):
            break
        if at > start and is_legal_form(tokens[at]):
            end = at + 1
        elif end is not None and tokens[at].key not in _AND:
            break
    return _company(tokens, start, end) if end else None


def is_legal_form(token: Token) -> bool:
    """Whether it is a legal form, which may follow the company's name after a comma."""
    return not token.quoted and _is_form_word(token.text)


def _is_form_word(word: str) -> bool:
    return (search_key(word) or "") in _FORMS and (len(word) > 2 or word.isupper())


def _company(tokens: list[Token], start: int, end: int) -> Piece:
    """With its commas: a company is compared whole."""
    parts = [
        token.written + ("," if token.breaks and at < end - 1 else "")
        for at, token in enumerate(tokens[start:end], start)
    ]
    text = " ".join(parts)
    bare = " ".join(token.text for token in tokens[start:end])
    meanings = [Meaning({"company": text})]
    if any(token.quoted for token in tokens[start:end]):
        # Alone in quotes they only hold it together; beside a legal form they are part of it (ООО «Ромашка»).
        meanings = [Meaning({"company": text}, end - start == 1), Meaning({"company": bare}, end - start > 1)]
    return Piece(text, tuple(range(start, end)), tuple(meanings))


def name_piece(tokens: list[Token], positions: tuple[int, ...]) -> Piece:
    """The words that nothing else has claimed: a name, or too many words to be one."""
    words = [tokens[at].text for at in positions]
    text = " ".join(words)
    if len(words) > MOST_WORDS or not all(map(_is_word, words)):
        return Piece(text, positions, (), Kind.UNPLACED)
    commas = [count for count, at in enumerate(positions[:-1], 1) if tokens[at].breaks]
    comma = commas[0] if len(commas) == 1 else None
    return Piece(text, positions, tuple(name_meanings(words, comma)), Kind.NAME)


def _is_word(text: str) -> bool:
    return any(unicodedata.category(c)[0] in "LM" for c in text)


def name_meanings(words: list[str], comma: int | None = None) -> Iterator[Meaning]:
    """Every way to read the words as a first and a last name, as one of them, and as a company.

    `comma` is the number of words before the only comma: the last name is first then, as in East Asia.
    """
    words = [_without_possessive(word) for word in words]
    text = " ".join(words)
    if len(words) == 1:
        yield from _single(text)
        return
    if comma is not None:
        yield Meaning(_names(words[comma:], words[:comma]), 0)
    if comma is not None or _is_east_asian(text):
        first_order, second_order = 2, 0
    else:
        first_order, second_order = 0, 2
    if words[0] in PARTICLES:  # in small letters: van der Berg
        yield Meaning({"last_name": text}, 0)
        first_order, second_order = 2, 4
    for cut in range(len(words) - 1, 0, -1):
        rank = abs(cut - _likely_cut(words))
        yield Meaning(_names(words[:cut], words[cut:]), first_order + rank)
    for cut in range(1, len(words)):
        yield Meaning(_names(words[cut:], words[:cut]), second_order + (cut - 1))
    yield Meaning({"company": text}, 4)
    yield Meaning({"last_name": text}, 6)
    yield Meaning({"first_name": text}, 6)


def _single(text: str) -> Iterator[Meaning]:
    yield Meaning({"last_name": text}, 0)
    yield Meaning({"first_name": text}, 1)
    yield Meaning({"company": text}, 2)
    if _is_east_asian(text) and 2 <= len(text) <= 5:
        # The last name comes first, and is one character more often than two.
        yield Meaning({"last_name": text[:1], "first_name": text[1:]}, 0)
        if len(text) > 2:
            yield Meaning({"last_name": text[:2], "first_name": text[2:]}, 1 if len(text) < 4 else 0)
    elif text.isascii() and len(text) >= 3:
        groups = text.split("-")
        is_code = (
            text.isupper() and len(groups) > 1 and len(set(map(len, groups))) == 1 and len(groups[0]) >= 4
        )
        yield Meaning({"activation_code": text}, 0 if is_code else 3)


def _names(first: list[str], last: list[str]) -> dict[str, object]:
    return {"first_name": " ".join(first), "last_name": " ".join(last)}


def _likely_cut(words: list[str]) -> int:
    """Where the last name begins: at its particle (von, de), else at the last word."""
    for at, word in enumerate(words[1:-1], 1):
        if (search_key(word) or "") in PARTICLES:
            return at
    return len(words) - 1


def _without_possessive(word: str) -> str:
    """Köhler's order is Köhler's."""
    return word[:-2] if len(word) > 3 and word[-2:] in ("'s", "’s") else word


def _is_east_asian(text: str) -> bool:
    return all(
        "\u3040" <= c <= "\u30ff" or "\u3400" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7a3" or c in " ・々"
        for c in text
    ) and bool(text)

"""Periods in a text: a span of days with what stands before it (since, until, between) or after it (to another)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from services.recognition.context import Context
from services.recognition.days import DayReader, lexemes_of
from services.recognition.pieces import Kind, Meaning, Piece
from services.recognition.spans import Span, year_span
from services.recognition.tokens import Token
from services.recognition.vocabulary import PERIOD_LABELS, longest_phrase
from services.recognition.words import words_of

_LONGEST: Final = 16  # tokens
_SINCE: Final = words_of("since after seit ab desde depuis dal sinds с od")
_FROM: Final = words_of("from von de du da dal van")
_UNTIL: Final = words_of("until till to before by bis hasta jusqu'au fino до do tot")
_WITHIN: Final = words_of("in on during at within of am im en le em el на в за w the year")
_CONNECTORS: Final = words_of("- – — ~ ～ to until till through bis au al and до по")


def period_at(tokens: list[Token], start: int, context: Context, *, names: bool) -> Piece | None:
    """The longest period that begins at this token, or None. With `names`, a lone name of a month is none."""
    after_label, prefix = start, None
    if (label := longest_phrase(PERIOD_LABELS, tokens, start)) is not None:
        after_label, prefix = start + label[0], label[1]
    piece = _period(tokens, start, after_label, prefix, context, names=names) if prefix else None
    piece = piece or _period(tokens, start, start, prefix := None, context, names=names)
    if piece is None or not tokens[piece.positions[-1]].colon:
        return piece
    # "Last week: 16 Nov 2026 – 22 Nov 2026", as a chip has it: the days say the same.
    after = piece.positions[-1] + 1
    days = _period(tokens, after, after, prefix, context, names=True)
    return piece if days is None else replace(piece, positions=(*piece.positions, *days.positions))


def _period(
    tokens: list[Token], start: int, first: int, prefix: str | None, context: Context, *, names: bool
) -> Piece | None:
    lexemes = lexemes_of(tokens, first, _LONGEST)
    if not lexemes:
        return None
    found: dict[int, dict[Span, int]] = {}
    orders = (context.day_first, not context.day_first)
    for rank, day_first in enumerate(orders):
        reader = DayReader(lexemes, context.today, day_first=day_first)
        for end, span in _periods(reader, 0, labelled=prefix is not None):
            if end <= len(lexemes) and lexemes[end - 1].ends and not (names and span.is_name):
                found.setdefault(end, {}).setdefault(Span(span.start, span.end, period=span.period), rank)
    if not found:
        return None
    end = max(found)
    after = lexemes[end - 1].token + 1
    spans = sorted(found[end].items(), key=lambda item: (_is_future(item[0], context), item[1]))
    return Piece(
        text=" ".join(token.text for token in tokens[start:after]),
        positions=tuple(range(start, after)),
        meanings=tuple(
            Meaning(_fields(prefix or "created", span), rank) for rank, (span, _) in enumerate(spans)
        ),
        kind=Kind.PERIOD,
        labelled=prefix is not None,
    )


def _is_future(span: Span, context: Context) -> bool:
    """Whether no order can be of these days yet: the other order of day and month is meant then."""
    return span.start is not None and span.start > context.today


def _fields(prefix: str, span: Span) -> dict[str, object]:
    fields: dict[str, object] = {}
    if span.start is not None:
        fields[f"{prefix}_from"] = span.start
    # A day alone is that one day; the form writes it so.
    if span.end is not None and span.end != span.start:
        fields[f"{prefix}_to"] = span.end
    if span.period is not None:
        # With its name, a saved search of it goes on meaning the days before the day on which it is opened.
        fields |= {f"{prefix}_to": span.end, f"{prefix}_period": span.period}
    return fields


def _periods(reader: DayReader, at: int, *, labelled: bool) -> Iterator[tuple[int, Span]]:
    word = reader.key(at)
    if word == "between":
        yield from _ranges(reader, at + 1)
        yield from reader.spans(at + 1)
    elif word in ("up",) and reader.key(at + 1) == "to":
        yield from _until(reader, at + 2, "to")
    elif word in ("not", "no") and reader.key(at + 1) in ("later", "before", "earlier"):
        return
    if word in _SINCE:
        for end, span in [*reader.spans(at + 1), *_years(reader, at + 1)]:
            day = span.start if word != "after" else _next(span)
            yield end, Span(day, max(day, reader.today) if day else reader.today)
    if word in _UNTIL:
        yield from _until(reader, at + 1, word)
    if word in _FROM or word in _WITHIN:
        yield from _ranges(reader, at + 1)
        yield from _whole(reader.spans(at + 1))
        yield from _years(reader, at + 1)
        if reader.key(at + 1) in _WITHIN:
            yield from _whole(reader.spans(at + 2))
    yield from _ranges(reader, at)
    yield from reader.spans(at)
    if labelled:
        yield from _years(reader, at)


def _whole(spans: Iterator[tuple[int, Span]]) -> Iterator[tuple[int, Span]]:
    """Behind "in" or "from", the name of a month is one."""
    for end, span in spans:
        yield end, Span(span.start, span.end, span.yearless)


def _until(reader: DayReader, at: int, word: str) -> Iterator[tuple[int, Span]]:
    for end, span in [*reader.spans(at), *_years(reader, at)]:
        is_before = word == "before" and span.start is not None
        yield end, Span(None, span.start - timedelta(1) if is_before and span.start else span.end)


def _years(reader: DayReader, at: int) -> Iterator[tuple[int, Span]]:
    """A year alone, which is one only where a day or a year is expected."""
    at += reader.key(at) == "year"
    key = reader.key(at)
    if len(key) == 4 and key.isdecimal() and 1970 <= int(key) <= 2200:
        yield at + 1, year_span(int(key))


def _next(span: Span) -> date | None:
    return span.end + timedelta(1) if span.end else None


def _ranges(reader: DayReader, at: int) -> Iterator[tuple[int, Span]]:
    """Two spans with "to", "and" or a dash between them: from the first day of one to the last day of the other."""
    for middle, first in reader.spans(at):
        if reader.key(middle) not in _CONNECTORS:
            continue
        for end, last in reader.spans(middle + 1):
            if (both := _joined(first, last)) is not None:
                yield end, both


def _joined(first: Span, last: Span) -> Span | None:
    """From the first day of one to the last day of the other; a year that only one of them has counts for both."""
    if first.start is None or last.start is None:
        return None
    if first.yearless and not last.yearless:
        year = last.start.year
        years = ((year, year), (year - 1, year))
    else:
        year = first.start.year  # written, or the most recent
        years = ((year, year), (year, year + 1))
    for first_year, last_year in years:
        start, end = first.in_year(first_year).start, last.in_year(last_year).end
        if start is not None and end is not None and start <= end:
            return Span(start, end)
    return None

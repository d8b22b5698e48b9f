"""What a trigger's config comes to, in one line: `At 02:30, Monday through Friday (Europe/Berlin)`."""

from __future__ import annotations

from collections.abc import Iterator

from cron_descriptor import CasingTypeEnum, Options, get_description
from cron_descriptor.Exception import FormatError

from flowforge.triggers.schedules.schedule import Cron, Every
from flowforge.triggers.summary import TriggerSummary
from webapp.translation import language
from webapp.translation.formats import calendar_names
from webapp.translation.texts import gettext, ngettext, said, translated

_DAY_SECONDS, _HOUR_SECONDS, _MINUTE_SECONDS = 24 * 60 * 60, 60 * 60, 60
_LOCALES = {"en": "en_US", "de": "de_DE"}
"""The languages of cron_descriptor, by ours; in others it speaks English."""


def in_words(summary: TriggerSummary) -> str:
    return " · ".join(_parts(summary))


def _parts(summary: TriggerSummary) -> Iterator[str]:
    if summary.subject:
        yield summary.subject
    yield from map(translated, summary.texts)
    if summary.fields is not None:
        yield ngettext("%(count)s field", "%(count)s fields", summary.fields)
    if summary.times is not None:
        yield _times_in_words(summary.times)
    if summary.problem:
        yield gettext("Not readable: %(problem)s", problem=said(summary.problem))


def _times_in_words(times: Every | Cron) -> str:
    return _cron_in_words(times) if isinstance(times, Cron) else _interval_in_words(times)


def _cron_in_words(cron: Cron) -> str:
    options = Options()
    options.use_24hour_time_format = True
    options.locale_code = _LOCALES.get(language.current(), _LOCALES["en"])
    options.casing_type = CasingTypeEnum.Sentence
    try:
        words = calendar_names(str(get_description(cron.expression, options)))
    except (FormatError, ValueError, IndexError, KeyError):  # it knows less of cron than the schedule does
        words = gettext("As the cron expression %(expression)s says", expression=cron.expression)
    return f"{words} ({cron.zone.key})"


def _interval_in_words(every: Every) -> str:
    seconds = round(every.interval.total_seconds())
    if seconds % _DAY_SECONDS == 0:
        return ngettext("Every day", "Every %(count)s days", seconds // _DAY_SECONDS)
    if seconds % _HOUR_SECONDS == 0:
        return ngettext("Every hour", "Every %(count)s hours", seconds // _HOUR_SECONDS)
    if seconds % _MINUTE_SECONDS == 0:
        return ngettext("Every minute", "Every %(count)s minutes", seconds // _MINUTE_SECONDS)
    return ngettext("Every second", "Every %(count)s seconds", seconds)

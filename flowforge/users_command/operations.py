"""What the actions of `python -m flowforge users …` do."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager

from sqlalchemy.orm import Session

from flowforge.accounts import administration, deletion, links, password_resets, registration, removed_second_factor
from flowforge.accounts.administration import ManagedAccountView
from flowforge.accounts.deletion import Belongings
from flowforge.accounts.registration import NewAccount
from flowforge.audit.origin import COMMAND_LINE, session_info
from flowforge.db.tables import Role
from flowforge.embedded.database import reached_database
from flowforge.settings import Settings
from flowforge.wiring import Backends

Parsed = argparse.Namespace
Operation = Callable[[Session, Backends, Parsed], str]
_PAGE = 200


def run(action: str, settings: Settings, parsed: Parsed) -> str:
    """Does what an action of `users` stands for; gives what is to be said of it. Raises FlowForgeError."""
    with _connected(settings) as backends, _session(backends) as session:
        return _OPERATIONS[action](session, backends, parsed)


@contextmanager
def _connected(settings: Settings) -> Iterator[Backends]:
    with reached_database(settings) as url:
        reached = settings.model_copy(update={"postgres_url_setting": url})
        with closing(Backends(reached, "flowforge-users")) as backends:
            yield backends


def _session(backends: Backends) -> Session:
    return Session(backends.engine, info=session_info(lambda: COMMAND_LINE))


def _list(session: Session, _backends: Backends, _parsed: Parsed) -> str:
    lines = [_line("name", "e-mail", "role", "since", "state")]
    page = 0
    while accounts := administration.list_accounts(session, page=page, size=_PAGE):
        lines += [_account_line(account) for account in accounts]
        page += 1
    return "\n".join(lines)


def _account_line(account: ManagedAccountView) -> str:
    state = "" if account.disabled_at is None else f"disabled since {account.disabled_at:%Y-%m-%d}"
    return _line(account.username, account.email, account.role, f"{account.created_at:%Y-%m-%d}", state)


def _line(name: str, email: str, role: str, since: str, state: str) -> str:
    return f"{name:<20} {email:<32} {role:<8} {since:<12} {state}".rstrip()


def _add(session: Session, backends: Backends, parsed: Parsed) -> str:
    new = NewAccount(parsed.name, parsed.email, secrets.token_urlsafe(32))
    user = registration.add(session, new, Role.ADMIN if parsed.admin else None)
    link = links.password_reset(backends.settings, password_resets.begin(session, user.id))
    return f"{parsed.name} was added as {user.role}.\n{_within(link)}"


def _reset(session: Session, backends: Backends, parsed: Parsed) -> str:
    token = password_resets.begin(session, _named(session, parsed).id)
    return _within(links.password_reset(backends.settings, token))


def _within(link: str) -> str:
    return f"Whoever opens this link within {password_resets.LIFETIME_HOURS} hours sets the password, once:\n  {link}"


def _reset_second_factor(session: Session, backends: Backends, parsed: Parsed) -> str:
    account = _named(session, parsed)
    mail_problem = removed_second_factor.remove(session, backends, account.id)
    told = f"\nNo mail told them: {mail_problem}." if mail_problem else ""
    return f"{account.username} signs in with the password alone, until a second factor is set up again.{told}"


def _disable(session: Session, _backends: Backends, parsed: Parsed) -> str:
    account = administration.disable(session, _named(session, parsed).id)
    return f"{account.username} is disabled: signed out everywhere, and its triggers start nothing."


def _enable(session: Session, backends: Backends, parsed: Parsed) -> str:
    before = _named(session, parsed)
    account = administration.enable(session, before.id)
    if not before.has_published_password:
        return f"{account.username} is enabled."
    return (
        f"{account.username} is enabled, without the password that is published.\n{_reset(session, backends, parsed)}"
    )


def _make_administrator(session: Session, _backends: Backends, parsed: Parsed) -> str:
    return _role(administration.make_administrator(session, _named(session, parsed).id))


def _make_member(session: Session, _backends: Backends, parsed: Parsed) -> str:
    return _role(administration.make_member(session, _named(session, parsed).id))


def _make_owner(session: Session, _backends: Backends, parsed: Parsed) -> str:
    return _role(administration.make_owner(session, _named(session, parsed).id))


def _delete(session: Session, backends: Backends, parsed: Parsed) -> str:
    account = _named(session, parsed)
    if not parsed.everything and parsed.hand_over_to is None:
        had = _in_words(deletion.belongings_of(session, account.id))
        return f"{account.username} has {had}. Say --hand-over-to NAME or --everything; nothing was done."
    heir = administration.find_by_name(session, parsed.hand_over_to).id if parsed.hand_over_to else None
    done = deletion.delete(session, backends, account.id, heir)
    fate = f"{done.handed_over_to} has them now" if done.handed_over_to else "they are deleted, too"
    return f"{done.username} is deleted. It had {_in_words(done.belongings)}: {fate}."


def _in_words(had: Belongings) -> str:
    return (
        f"{had.workflows} workflows, {had.triggers} triggers, {had.connections} connections and {had.secrets} secrets"
    )


def _role(account: ManagedAccountView) -> str:
    return f"{account.username}: {account.role}."


def _named(session: Session, parsed: Parsed) -> ManagedAccountView:
    return administration.find_by_name(session, parsed.name)


_OPERATIONS: Mapping[str, Operation] = {
    "list": _list,
    "add": _add,
    "reset": _reset,
    "reset-second-factor": _reset_second_factor,
    "disable": _disable,
    "enable": _enable,
    "make-admin": _make_administrator,
    "make-member": _make_member,
    "make-owner": _make_owner,
    "delete": _delete,
}

"""What tells a call of a webhook from others: a repeat starts nothing."""

from __future__ import annotations

import hashlib

from flowforge.engine.intake import CallKey, Repeat
from flowforge.triggers.webhooks.authentication import Proof

_LONGEST = 200


def key_of_proof(proof: Proof) -> CallKey | None:
    """The key that follows from what is signed, which no caller can choose; None where nothing is signed that tells
    calls apart.

    What was recorded and is sent again starts nothing. With a signed time it is refused, since an honest sender signs
    each try anew; without one it may be an honest try, and gets the first answer.
    """
    repeat = Repeat.OF_ANOTHER_TRY if proof.is_timed else Repeat.OF_ANYTHING
    digest = proof.signed.sha256().hex() if proof.signed is not None else None
    if proof.delivery:
        return CallKey(_delivery(proof.delivery), digest, repeat)
    if digest is None or proof.counts_again:
        return None
    return CallKey(f"signed {digest}", digest, repeat)


def key_of_delivery(id_: str) -> CallKey:
    """The key of a delivery that its sender names in a header."""
    return CallKey(_delivery(id_))


def _delivery(id_: str) -> str:
    is_short = len(id_) <= _LONGEST and id_.isprintable()
    return f"delivery {id_ if is_short else hashlib.sha256(id_.encode(errors='replace')).hexdigest()}"

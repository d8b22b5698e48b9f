"""kafka-python leaves the checksums of messages to the package crc32c, which computes them in C."""

from __future__ import annotations

import pytest
from kafka.record import default_records, util


def test_checksums_are_not_computed_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    crc32c = pytest.importorskip("crc32c")
    assert util._crc32c is crc32c.crc32c
    computed: list[int] = []

    def compute(data: memoryview) -> int:
        computed.append(len(data))
        return util.calc_crc32c(data)

    monkeypatch.setattr(default_records, "calc_crc32c", compute)
    builder = default_records.DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=False,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=10_000,
    )
    builder.append(0, timestamp=0, key=b"k", value=b"v" * 1000, headers=[])
    assert default_records.DefaultRecordBatch(bytes(builder.build())).validate_crc()
    assert len(computed) == 2

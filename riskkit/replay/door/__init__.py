"""The door: a frame of what people have becomes integer columns, whole or not at all.

Floats, strings, Timestamps and Decimals come in; whole ticks, lots, quanta and nanoseconds go on. What does not fit
is refused with one sentence that names the row (counted from 0) and the column. The policies that keep a bad row
instead (`on_bad_order="flag"`, `ts_policy`) mark it in the column ``flags``; nothing is dropped in silence.
"""

from riskkit.replay.door.bounds import check_bounds
from riskkit.replay.door.convert import Converted, columns_from_frame
from riskkit.replay.door.frame import FRAME_COLUMNS
from riskkit.replay.door.infer import infer_instruments

__all__ = ["FRAME_COLUMNS", "Converted", "check_bounds", "columns_from_frame", "infer_instruments"]

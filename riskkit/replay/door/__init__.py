"""Conversion of a frame of events to integer columns.

Floats, strings, Timestamps and Decimals become integer ticks, lots, quanta and nanoseconds. A frame is taken complete
or not at all: what does not fit raises an error that names the row (counted from 0) and the column. The policies that
keep a bad row instead (`on_bad_order="flag"`, `ts_policy`) mark it in the column ``flags``. Columns and their other
headings are listed in `riskkit.replay.door.columns`.
"""

from riskkit.replay.door.bounds import check_bounds
from riskkit.replay.door.columns import FRAME_COLUMNS
from riskkit.replay.door.convert import Converted, columns_from_frame
from riskkit.replay.door.infer import infer_instruments

__all__ = ["FRAME_COLUMNS", "Converted", "check_bounds", "columns_from_frame", "infer_instruments"]

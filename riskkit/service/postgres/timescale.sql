-- With TimescaleDB: hypertables, and the daily profit as a continuous aggregate that adds what has come since its last refresh.
select create_hypertable('rk_event', by_range('time', interval '1 day'), if_not_exists => true);
select create_hypertable('rk_decision', by_range('time', interval '1 day'), if_not_exists => true);
select create_hypertable('trade_events', by_range('time', interval '1 day'), if_not_exists => true);
create materialized view if not exists user_daily_pnl with (timescaledb.continuous, timescaledb.materialized_only = false) as
  select time_bucket(interval '1 day', time) as day, user_id, sum(pnl) as daily_pnl, count(*) as trade_count, avg(pnl) as avg_pnl
  from trade_events group by 1, 2 with no data;

-- Every minute up to one minute ago; from three days back, because a refresh has to cover two whole days. Rows that come later
-- than that are in the aggregate after: call refresh_continuous_aggregate('user_daily_pnl', FROM, TO)
select add_continuous_aggregate_policy('user_daily_pnl', start_offset => interval '3 days', end_offset => interval '1 minute',
                                       schedule_interval => interval '1 minute', if_not_exists => true);

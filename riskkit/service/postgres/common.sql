-- The schema of riskkit: what PostgreSQL from 15 on and TimescaleDB have in common. Every statement may run again.
-- @PARTITIONED@ is "partition by range (time)" without TimescaleDB, and nothing with it.
-- A table by time has its time in each unique key, as both hypertables and partitioned tables need it.

-- the engines whose journals are followed: their labels and rules, and the number of the next event
create table if not exists rk_engine (
  engine text primary key, seq bigint not null default 0, token bigint not null default 0, updated timestamptz not null default now(),
  mode text not null, options jsonb not null, universe jsonb not null, rules jsonb not null, changes jsonb not null);

-- events: the exact integers of the journal, in ticks, lots and quanta, ts in nanoseconds; `time` is ts to the microsecond.
-- The columns of the journal are added by riskkit.service.postgres.schema.
create table if not exists rk_event (
  engine text not null, time timestamptz not null, seq bigint not null, primary key (engine, time, seq)) @PARTITIONED@;

-- decisions: the exact integers of the journal, and what they mean in words and units
create table if not exists rk_decision (
  engine text not null, time timestamptz not null, seq bigint not null, place integer not null, account_id text not null,
  decision text not null, rule text not null, objecting text not null, observed_value numeric, limit_value numeric, unit text not null,
  primary key (engine, time, seq, place)) @PARTITIONED@;

-- labels of the codes in the events
create table if not exists rk_account (engine text, code integer, id text not null, primary key (engine, code));
create table if not exists rk_instrument (
  engine text, code integer, id text not null, price_step numeric not null, qty_step numeric not null, currency text not null,
  money_step numeric not null, primary key (engine, code));
create table if not exists rk_order (engine text, seq bigint, order_id text not null, primary key (engine, seq));
create table if not exists rk_trade (engine text, code bigint, trade_id text not null, primary key (engine, code));

-- alerts, each once
create table if not exists rk_alert (
  alert_id text primary key, engine text not null, time timestamptz not null, user_id text not null, rule_name text not null,
  severity text not null, message text not null, trade_id text, current_metrics jsonb not null, body jsonb not null);

-- trade events; net position by user and token: what came in as token_out less what went out as token_in
create table if not exists trade_events (
  time timestamptz not null, user_id uuid not null, trade_id uuid not null, token_in text not null, token_out text not null,
  amount_in numeric not null, amount_out numeric not null, dex_source text, gas_used numeric, pnl numeric not null default 0)
  @PARTITIONED@;
create table if not exists rk_position (
  user_id uuid, token text, net_position numeric not null, last_updated timestamptz not null, primary key (user_id, token));
create or replace view current_positions as
  select user_id, token, net_position, last_updated from rk_position where net_position <> 0;

-- how far each source of trade events has been taken, in the transaction that took them
create table if not exists rk_mark (source text primary key, position bigint not null);

-- Without TimescaleDB: partitions by day, made ahead of their rows, and the daily profit rolled up as trades come in.
-- There is no default partition: the partitions are then ordered, and the last rows are found in the newest ones alone.
create or replace function rk_partition(parent text, day date) returns void language plpgsql as $$
declare part text := parent || to_char(day, '_YYYYMMDD');
begin
  if day >= date '2000-01-01' and day < date '2100-01-01' and to_regclass(part) is null then
    execute format('create table if not exists %I partition of %I for values from (%L) to (%L)', part, parent,
                   day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
  end if;
end $$;
create or replace function rk_outer_partitions(parent text) returns void language plpgsql as $$
begin
  execute format('create table if not exists %I partition of %I for values from (minvalue) to (%L)',
                 parent || '_before', parent, timestamptz '2000-01-01 00:00:00 UTC');
  execute format('create table if not exists %I partition of %I for values from (%L) to (maxvalue)',
                 parent || '_after', parent, timestamptz '2100-01-01 00:00:00 UTC');
end $$;
select rk_outer_partitions('rk_event'), rk_outer_partitions('rk_decision'), rk_outer_partitions('trade_events');

create table if not exists rk_daily_pnl (
  day timestamptz, user_id uuid, daily_pnl numeric not null, trade_count bigint not null, primary key (user_id, day));
create or replace function rk_roll_day() returns trigger language plpgsql as $$
begin
  insert into rk_daily_pnl as kept
    select date_trunc('day', time, 'UTC'), user_id, sum(pnl), count(*) from added group by 1, 2 order by 2, 1
    on conflict (user_id, day) do update
    set daily_pnl = kept.daily_pnl + excluded.daily_pnl, trade_count = kept.trade_count + excluded.trade_count;
  return null;
end $$;
create or replace trigger rk_roll_day after insert on trade_events referencing new table as added
  for each statement execute function rk_roll_day();
create or replace view user_daily_pnl as
  select day, user_id, daily_pnl, trade_count, daily_pnl / trade_count as avg_pnl from rk_daily_pnl;

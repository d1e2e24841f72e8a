-- Indexes, views and the positions: after the tables have become hypertables or have their partitions.
create index if not exists trade_events_user on trade_events (user_id, time desc);
create index if not exists trade_events_pair on trade_events (token_in, token_out);
create index if not exists rk_event_account on rk_event (engine, account, time desc, seq desc);
create index if not exists rk_decision_account on rk_decision (engine, account_id, time desc, seq desc, place);
create index if not exists rk_account_id on rk_account (engine, id);
create index if not exists rk_order_id on rk_order (engine, order_id);
create index if not exists rk_alert_user on rk_alert (user_id, time desc);

-- the events in labels, quantities and prices; a number that the event does not have is null
create or replace view rk_journal as
  select e.engine, e.seq, e.time, e.ts, e.kind, a.id as account, i.id as instrument, e.side, e.qty * i.qty_step as qty,
         case when e.price <> -9223372036854775808 then e.price * i.price_step end as price, o.order_id, t.trade_id,
         e.fee * i.money_step as fee
    from rk_event e
    left join rk_account a on a.engine = e.engine and a.code = e.account
    left join rk_instrument i on i.engine = e.engine and i.code = e.instrument
    left join rk_order o on o.engine = e.engine and o.seq = e."order"
    left join rk_trade t on t.engine = e.engine and t.code = e.trade_id and e.trade_id >= 0;

-- positions follow the trades, whoever inserts them, in the same transaction
create or replace function rk_roll_position() returns trigger language plpgsql as $$
begin
  insert into rk_position as kept
    select user_id, token, sum(amount), max(time) from (
      select user_id, token_out as token, amount_out as amount, time from added
      union all select user_id, token_in, -amount_in, time from added) legs
    group by 1, 2 order by 1, 2
    on conflict (user_id, token) do update
    set net_position = kept.net_position + excluded.net_position, last_updated = greatest(kept.last_updated, excluded.last_updated);
  return null;
end $$;
create or replace trigger rk_roll_position after insert on trade_events referencing new table as added
  for each statement execute function rk_roll_position();

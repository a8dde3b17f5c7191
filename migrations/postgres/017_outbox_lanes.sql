-- Events of one device are told in order, those of different devices side by side: each has its lane.
ALTER TABLE outbox ADD COLUMN lane INTEGER NOT NULL DEFAULT 0;
CREATE INDEX ix_outbox_relayed_lane ON outbox (relayed, lane, id);

"""Streams of a broker that speaks the protocol of Kafka: events in, decisions out, one engine a partition."""

"""The queue between processes: Redis or RabbitMQ, spoken to by dramatiq."""

"""What every service of Graymill shares: messages, broker, worker runtime, database and ledger."""

"""Graymill as local processes: RabbitMQ, MongoDB and the services, under one supervisor and in one folder."""

"""What other people's monitoring is given, made from the metrics' registry: Prometheus rules, a Grafana dashboard."""

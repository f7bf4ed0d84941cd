"""Grafana's dashboards: each module here describes one; `grafana` turns the description into Grafana's JSON."""

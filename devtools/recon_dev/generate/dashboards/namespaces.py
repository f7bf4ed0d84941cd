"""Namespaces: who uses what, what it costs, and what they get for it."""

from recon_dev.generate.dashboards.grafana import Dashboard, Panel, Query, Row, Variable

_CHOSEN = '{namespace=~"$namespace"}'

_USE = Row(
    "Use and cost in the period shown",
    (
        Panel(
            "GPU time",
            "Running time of attempts that have ended, those that failed too.",
            (
                Query(
                    f"sum by (namespace) (increase(reconstruction_gpu_seconds_total{_CHOSEN}[$__range]))",
                    "{{namespace}}",
                ),
            ),
            unit="s",
            kind="bargauge",
        ),
        Panel(
            "Cost",
            "GPU time at the price of an hour that stands above.",
            (
                Query(
                    f"sum by (namespace) (increase(reconstruction_gpu_seconds_total{_CHOSEN}[$__range])) / 3600 * $price",
                    "{{namespace}}",
                ),
            ),
            unit="currencyUSD",
            kind="bargauge",
        ),
        Panel(
            "GPU time of a job",
            "GPU time for each job that ended, whatever its end.",
            (
                Query(
                    f"sum by (namespace) (increase(reconstruction_gpu_seconds_total{_CHOSEN}[$__range])) "
                    f"/ sum by (namespace) (increase(reconstruction_jobs_finished_total{_CHOSEN}[$__range]))",
                    "{{namespace}}",
                ),
            ),
            unit="s",
            kind="bargauge",
        ),
    ),
)

_JOBS = Row(
    "Jobs",
    (
        Panel(
            "GPUs in use",
            "Running jobs: each holds one worker.",
            (
                Query(
                    'max by (namespace) (reconstruction_jobs{namespace=~"$namespace", phase="Running"})',
                    "{{namespace}}",
                ),
            ),
            stacked=True,
        ),
        Panel(
            "Waiting",
            "Jobs that wait for a worker.",
            (
                Query(
                    'max by (namespace) (reconstruction_jobs{namespace=~"$namespace", phase="Queued"})', "{{namespace}}"
                ),
            ),
            stacked=True,
        ),
        Panel(
            "GPU time used",
            "GPU seconds for each second: how many GPUs a namespace kept busy with attempts that have ended.",
            (Query(f"sum by (namespace) (rate(reconstruction_gpu_seconds_total{_CHOSEN}[15m]))", "{{namespace}}"),),
        ),
        Panel(
            "Ends",
            "Jobs that ended, within 15 minutes.",
            (
                Query(
                    f"sum by (namespace, phase) (increase(reconstruction_jobs_finished_total{_CHOSEN}[15m]))",
                    "{{namespace}} {{phase}}",
                ),
            ),
        ),
        Panel(
            "Failures by reason",
            "What the jobs of the namespace failed of, within 15 minutes.",
            (
                Query(
                    'sum by (namespace, reason) (increase(reconstruction_jobs_finished_total{namespace=~"$namespace", phase="Failed"}[15m]))',
                    "{{namespace}} {{reason}}",
                ),
            ),
        ),
        Panel(
            "Share that failed",
            "Of the jobs that ended within an hour.",
            (
                Query(
                    'sum by (namespace) (increase(reconstruction_jobs_finished_total{namespace=~"$namespace", phase="Failed"}[1h])) '
                    f"/ sum by (namespace) (increase(reconstruction_jobs_finished_total{_CHOSEN}[1h]))",
                    "{{namespace}}",
                ),
            ),
            unit="percentunit",
        ),
    ),
)

NAMESPACES = Dashboard(
    uid="reconstruction-namespaces",
    title="Reconstruction / Namespaces",
    description="Who uses how much of the GPUs, what it costs, and what becomes of their jobs.",
    rows=(_USE, _JOBS),
    variables=(
        Variable("namespace", "Namespace", values_of=("reconstruction_jobs_finished_total", "namespace")),
        Variable("price", "Price of a GPU hour", default="2"),
    ),
    period="7d",
)

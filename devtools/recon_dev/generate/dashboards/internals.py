"""The operator and its connections: whether the machinery itself is well."""

from recon_dev.generate.dashboards.grafana import Dashboard, Panel, Query, Row, quantiles

_HEALTH = Row(
    "Health",
    (
        Panel(
            "Leaders",
            "Operators that lead: 1, and 0 for a moment while one takes over.",
            (Query("sum(reconstruction_leader)", "leaders"),),
            kind="stat",
            width=4,
        ),
        Panel(
            "Redis answers",
            "1 where the operator's last call was answered.",
            (Query("max(reconstruction_redis_up)", "Redis"),),
            kind="stat",
            width=5,
        ),
        Panel(
            "Watch's age",
            "Since the watch brought an event or was opened: below 110 s in health, a dead one is above 300 s.",
            (Query("max(reconstruction_watch_last_event_age_seconds)", "age"),),
            unit="s",
            kind="stat",
            width=5,
        ),
        Panel(
            "Loop's age",
            "Since the reconcile loop last turned: below 5 s in health.",
            (Query("min(reconstruction_loop_age_seconds)", "age"),),
            unit="s",
            kind="stat",
            width=5,
        ),
        Panel(
            "Version",
            "How many operators run, by version: two during an upgrade.",
            (Query("sum by (version) (reconstruction_info)", "{{version}}"),),
            kind="stat",
            width=5,
        ),
    ),
)

_PASSES = Row(
    "Passes",
    (
        Panel(
            "Passes a second",
            "How often a job was looked at.",
            (Query("sum(rate(reconstruction_reconcile_seconds_count[$__rate_interval]))", "passes"),),
            unit="ops",
        ),
        Panel(
            "Time of a pass",
            "From its decision to its last effect; the API server's answers are most of it.",
            quantiles("reconstruction_reconcile_seconds", of=(0.5, 0.99)),
            unit="s",
        ),
        Panel(
            "Passes that failed",
            "By kind of error; each is tried again.",
            (
                Query(
                    'sum by (error) (rate(reconstruction_reconcile_errors_total[$__rate_interval])) or label_replace(vector(0), "error", "none", "", "")',
                    "{{error}}",
                ),
            ),
            unit="ops",
        ),
        Panel(
            "Jobs to look at",
            "Now or at a set time; it is about the number of unfinished jobs.",
            (Query("max(reconstruction_work_queue_jobs)", "jobs"),),
        ),
        Panel(
            "Time to cancel",
            "From the confirmation of a cancellation to its end.",
            quantiles("reconstruction_cancel_latency_seconds"),
            unit="s",
        ),
        Panel(
            "Set right",
            "Statuses that knew of fewer attempts than were sent, jobs whose change the watch missed, and finished jobs removed; within 15 minutes.",
            (
                Query("sum(increase(reconstruction_status_corrections_total[15m]))", "statuses corrected"),
                Query("sum(increase(reconstruction_watch_missed_total[15m]))", "changes missed"),
                Query("sum(increase(reconstruction_jobs_removed_total[15m]))", "jobs removed"),
            ),
        ),
        Panel(
            "Refused",
            "Jobs whose status the API server refuses, jobs of other installations, namespaces that cannot be read, and messages "
            "that the workers refused within 15 minutes; all 0 in health, but for other installations' jobs where there are some.",
            (
                Query("sum(reconstruction_refused_writes_jobs)", "statuses refused"),
                Query("sum(reconstruction_jobs_of_other_operators) or vector(0)", "jobs of others"),
                Query("sum(reconstruction_namespace_missing) or vector(0)", "namespaces missing"),
                Query(
                    "sum(increase(reconstruction_worker_messages_refused_total[15m])) or vector(0)", "messages refused"
                ),
            ),
        ),
    ),
)

_CONNECTIONS = Row(
    "Connections and processes",
    (
        Panel(
            "Watch's age over time",
            "A saw-tooth in a quiet cluster.",
            (Query("max(reconstruction_watch_last_event_age_seconds)", "age"),),
            unit="s",
        ),
        Panel(
            "Workers' contact to Redis",
            "Since a worker last registered; above LEASE_TTL_S it counts as gone.",
            (
                Query("max(reconstruction_worker_registration_age_seconds)", "registration"),
                Query("max(reconstruction_worker_lease_renewal_age_seconds)", "lease"),
            ),
            unit="s",
        ),
        Panel(
            "Memory",
            "Of the operator's and the workers' main processes.",
            (
                Query(
                    "max by (instance) (process_resident_memory_bytes and on (instance) (reconstruction_info or reconstruction_worker_info))",
                    "{{instance}}",
                ),
            ),
            unit="bytes",
        ),
        Panel(
            "CPU",
            "Cores that the main processes use.",
            (
                Query(
                    "max by (instance) (rate(process_cpu_seconds_total[$__rate_interval]) and on (instance) "
                    "(reconstruction_info or reconstruction_worker_info))",
                    "{{instance}}",
                ),
            ),
        ),
        Panel(
            "Steps of succeeded jobs",
            "95th percentile by model, over all attempts that worked on a job.",
            quantiles("reconstruction_step_seconds", by="model", of=(0.95,)),
            unit="s",
        ),
    ),
)

INTERNALS = Dashboard(
    uid="reconstruction-operator",
    title="Reconstruction / Operator",
    description="Whether the operator itself is well: its loop, its watch, Redis, its errors.",
    rows=(_HEALTH, _PASSES, _CONNECTIONS),
)

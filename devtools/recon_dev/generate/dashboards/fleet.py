"""The fleet: whether work is done, waits or fails, and whether the GPUs are used."""

from recon_dev.generate.dashboards.grafana import Dashboard, Panel, Query, Row, quantiles

_NOW = Row(
    "Now",
    (
        Panel(
            "Running",
            "Jobs of which an attempt runs.",
            (Query('sum(max by (gpu_class) (reconstruction_pool_jobs{phase="Running"})) or vector(0)', "running"),),
            kind="stat",
            width=4,
        ),
        Panel(
            "Waiting",
            "Jobs that wait for a worker.",
            (Query('sum(max by (gpu_class) (reconstruction_pool_jobs{phase="Queued"})) or vector(0)', "waiting"),),
            kind="stat",
            width=4,
        ),
        Panel(
            "Longest wait",
            "How long the job waits that has been queued the longest.",
            (Query("max(reconstruction_longest_wait_seconds) or vector(0)", "longest wait"),),
            unit="s",
            kind="stat",
            width=4,
        ),
        Panel(
            "Workers",
            "Workers that are connected.",
            (Query("sum(max by (gpu_class) (reconstruction_workers))", "workers"),),
            kind="stat",
            width=4,
        ),
        Panel(
            "Busy workers",
            "Share of the scraped workers that run an attempt.",
            (Query("avg(reconstruction_worker_busy)", "busy"),),
            unit="percentunit",
            kind="stat",
            width=4,
        ),
        Panel(
            "Failed, last hour",
            "Jobs that failed within the last hour, for whatever reason.",
            (Query('sum(increase(reconstruction_jobs_finished_total{phase="Failed"}[1h])) or vector(0)', "failed"),),
            kind="stat",
            width=4,
        ),
    ),
)

_JOBS = Row(
    "Jobs",
    (
        Panel(
            "Jobs by phase",
            "Jobs that are not finished, by phase. A growing Queued means that workers are too few.",
            (Query("sum by (phase) (max by (phase, namespace) (reconstruction_jobs))", "{{phase}}"),),
            stacked=True,
        ),
        Panel(
            "Ends per minute",
            "How many jobs ended in each way.",
            (Query("sum by (phase) (rate(reconstruction_jobs_finished_total[$__rate_interval])) * 60", "{{phase}}"),),
            unit="cpm",
        ),
        Panel(
            "Failures by reason",
            "Jobs that failed, by the reason of their condition Failed, within 15 minutes.",
            (
                Query(
                    'sum by (reason) (increase(reconstruction_jobs_finished_total{phase="Failed"}[15m]))', "{{reason}}"
                ),
            ),
        ),
        Panel(
            "Wait for the first attempt",
            "From a job's creation to its first dispatch.",
            quantiles("reconstruction_admission_wait_seconds"),
            unit="s",
        ),
        Panel(
            "Time to the result",
            "From the first attempt's start to the job's end, retries and waits between them included.",
            quantiles("reconstruction_execution_seconds"),
            unit="s",
        ),
        Panel(
            "Longest wait by pool",
            "How long the job waits that has been queued the longest, for each gpuClass.",
            (Query("max by (gpu_class) (reconstruction_longest_wait_seconds)", "{{gpu_class}}"),),
            unit="s",
        ),
    ),
)

_WORK = Row(
    "Work",
    (
        Panel(
            "Attempts by end",
            "Attempts that ended, as the workers counted them, within 15 minutes.",
            (Query("sum by (outcome) (increase(reconstruction_worker_attempts_total[15m]))", "{{outcome}}"),),
        ),
        Panel(
            "Attempts that did not complete",
            "By reason, as the operator saw them: lost workers too, within 15 minutes.",
            (
                Query(
                    'sum by (reason) (increase(reconstruction_attempts_ended_total{reason!="Completed"}[15m]))',
                    "{{reason}}",
                ),
            ),
        ),
        Panel(
            "Time of a step",
            "95th percentile of one attempt's steps, over all models.",
            quantiles("reconstruction_worker_step_seconds", by="step", of=(0.95,)),
            unit="s",
        ),
        Panel(
            "Workers by pool",
            "Connected and busy workers.",
            (
                Query("max by (gpu_class) (reconstruction_workers)", "{{gpu_class}} connected"),
                Query("sum(reconstruction_worker_busy)", "busy"),
            ),
        ),
        Panel(
            "Time in attempts",
            "Share of the time that the workers spent with attempts that have ended.",
            (Query("avg(rate(reconstruction_worker_busy_seconds_total[15m]))", "busy"),),
            unit="percentunit",
        ),
        Panel(
            "Input",
            "Bytes of the inputs of completed jobs a second, and their photos.",
            (
                Query("sum(rate(reconstruction_worker_input_bytes_total[15m]))", "bytes/s"),
                Query("sum(rate(reconstruction_worker_input_photos_total[15m]))", "photos/s"),
            ),
            unit="short",
        ),
    ),
)

_GPUS = Row(
    "GPUs (empty on workers without one)",
    (
        Panel(
            "GPU memory in use",
            "Of each GPU, by all processes on it.",
            (Query("max by (gpu) (reconstruction_worker_gpu_memory_used_bytes)", "{{gpu}}"),),
            unit="bytes",
            width=12,
        ),
        Panel(
            "GPU busy",
            "Share of the last second in which the GPU worked. Low while jobs run means that something else is slow.",
            (Query("max by (gpu) (reconstruction_worker_gpu_busy_ratio)", "{{gpu}}"),),
            unit="percentunit",
            width=12,
        ),
    ),
)

FLEET = Dashboard(
    uid="reconstruction-fleet",
    title="Reconstruction / Fleet",
    description="Whether work is done, waits or fails, and how the workers are used.",
    rows=(_NOW, _JOBS, _WORK, _GPUS),
)

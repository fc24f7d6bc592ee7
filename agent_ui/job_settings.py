"""What the settings say of jobs.

In: `Settings`. Out: the limits of the desk of jobs.
Not known here: how jobs are worked on.
"""

from agent_ui.settings import Settings
from calls.jobs.desk import JobLimits


def job_limits(settings: Settings) -> JobLimits:
    """How much is taken on."""
    return JobLimits(
        folders=settings.job_folders,
        max_bytes=settings.job_max_mb * 1_000_000,
        max_files=settings.job_max_files,
        per_owner=settings.jobs_per_user,
        in_all=settings.jobs_waiting,
    )

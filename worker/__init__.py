"""The processes behind the API: Celery workers that make codes, and the dispatcher that hands them their chunks."""

"""The reference for requests: a Flask application that does nothing else, run by the same server in the same way.

It talks to PostgreSQL through psycopg directly, over one connection a thread: less than any framework would do.
"""

from __future__ import annotations

import os
import threading
from uuid import uuid4

import psycopg
from flask import Flask, Response, jsonify, request

application = Flask("bare", static_folder=None)
_here = threading.local()

_INSERT = """
INSERT INTO bare_groups (id, access_key_id, label, total_codes_count, code_length, alphabet, usage_type, time_zone)
VALUES (%s, %s, %s, %s, %s, 'readable', 'single', 'UTC')
"""
OWNER = uuid4()


def _connection() -> psycopg.Connection:
    if not hasattr(_here, "connection"):
        _here.connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    connection: psycopg.Connection = _here.connection
    return connection


@application.get("/bare")
def bare() -> Response:
    """A route that does nothing."""
    return jsonify(status="completed")


@application.post("/bare")
def insert() -> tuple[Response, int]:
    """A route with one INSERT and its commit: a group's row, in a copy of the table with the same indexes."""
    body, group_id = request.get_json(), uuid4()
    values = (group_id, OWNER, body["label"], body["totalCodesCount"], body["codeLength"])
    _connection().execute(_INSERT, values)
    return jsonify(id=str(group_id), status="pending"), 202

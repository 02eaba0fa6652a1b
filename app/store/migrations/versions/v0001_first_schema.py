"""The first schema: groups, chunks, codes, the catalog, API keys, workers, answers to idempotent requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clients",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clients")),
        sa.UniqueConstraint("slug", name=op.f("uq_clients_slug")),
    )
    op.create_table(
        "codes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("max_redemptions", sa.Integer(), nullable=True),
        sa.Column("redemptions_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        sa.Column("usage_type", sa.Text(), nullable=True),
        sa.CheckConstraint("usage_type IN ('single', 'multiple')", name=op.f("ck_codes_usage_type")),
        sa.CheckConstraint("redemptions_count >= 0", name=op.f("ck_codes_redemptions_count")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_codes")),
    )
    op.create_index("ix_codes_group_id_id", "codes", ["group_id", "id"], unique=False)
    op.create_index("uq_codes_lower_code", "codes", [sa.literal_column("lower(code)")], unique=True)
    op.create_table(
        "workers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("queues", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("chunks_done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_workers")),
    )
    op.create_table(
        "access_keys",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("client_id", sa.UUID(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_access_keys_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_keys")),
        sa.UniqueConstraint("public_id", name=op.f("uq_access_keys_public_id")),
    )
    op.create_table(
        "catalog_items",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("client_id", sa.UUID(), nullable=True),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind = 'licenses' OR (client_id IS NULL AND NOT is_default)", name=op.f("ck_catalog_items_license_fields")
        ),
        sa.CheckConstraint("kind IN ('courses', 'learningPaths', 'bundles', 'licenses')", name=op.f("ck_catalog_items_kind")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_catalog_items_client_id")),
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_catalog_items")),
    )
    op.create_index(
        "ix_catalog_items_client_id",
        "catalog_items",
        ["client_id"],
        unique=False,
        postgresql_where=sa.text("client_id IS NOT NULL"),
    )
    op.create_table(
        "code_groups",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("access_key_id", sa.UUID(), nullable=False),
        sa.Column("client_id", sa.UUID(), nullable=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("total_codes_count", sa.Integer(), nullable=False),
        sa.Column("created_codes_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("redeemed_codes_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("code_length", sa.Integer(), nullable=True),
        sa.Column("alphabet", sa.Text(), nullable=True),
        sa.Column("prefix", sa.Text(), nullable=True),
        sa.Column("custom_name", sa.Text(), nullable=True),
        sa.Column("usage_type", sa.Text(), nullable=False),
        sa.Column("max_redemptions", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("access_days", sa.Integer(), nullable=True),
        sa.Column("access_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("uploaded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("gift", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progressed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("alphabet IN ('readable', 'alphanumeric', 'letters', 'digits')", name=op.f("ck_code_groups_alphabet")),
        sa.CheckConstraint(
            "status <> 'completed' OR created_codes_count = total_codes_count", name=op.f("ck_code_groups_completed_is_whole")
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')", name=op.f("ck_code_groups_status")
        ),
        sa.CheckConstraint("usage_type IN ('single', 'multiple')", name=op.f("ck_code_groups_usage_type")),
        sa.CheckConstraint("access_days IS NULL OR access_expires_at IS NULL", name=op.f("ck_code_groups_one_access_end")),
        sa.CheckConstraint(
            "created_codes_count BETWEEN 0 AND total_codes_count", name=op.f("ck_code_groups_created_codes_count")
        ),
        sa.ForeignKeyConstraint(["access_key_id"], ["access_keys.id"], name=op.f("fk_code_groups_access_key_id")),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_code_groups_client_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_groups")),
    )
    op.create_index("ix_code_groups_client_id_created_at_id", "code_groups", ["client_id", "created_at", "id"], unique=False)
    op.create_index("ix_code_groups_created_at_id", "code_groups", ["created_at", "id"], unique=False)
    op.create_index("ix_code_groups_lower_label_id", "code_groups", [sa.literal_column("lower(label)"), "id"], unique=False)
    op.create_index(
        "ix_code_groups_space",
        "code_groups",
        ["code_length"],
        unique=False,
        postgresql_include=["prefix", "alphabet", "total_codes_count"],
    )
    op.create_index(
        "ix_code_groups_unfinished",
        "code_groups",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('pending', 'processing')"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("access_key_id", sa.UUID(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["access_key_id"], ["access_keys.id"], name=op.f("fk_idempotency_keys_access_key_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("access_key_id", "route", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "chunks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("group_id", sa.UUID(), nullable=False),
        sa.Column("access_key_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("codes_count", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sends", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("fence", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('pending', 'running', 'done', 'failed')", name=op.f("ck_chunks_state")),
        sa.CheckConstraint("codes_count > 0", name=op.f("ck_chunks_codes_count")),
        sa.ForeignKeyConstraint(["group_id"], ["code_groups.id"], name=op.f("fk_chunks_group_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chunks")),
        sa.UniqueConstraint("group_id", "position", name=op.f("uq_chunks_group_id_position")),
    )
    op.create_index("ix_chunks_running", "chunks", ["lease_until"], unique=False, postgresql_where=sa.text("state = 'running'"))
    op.create_index(
        "ix_chunks_sent",
        "chunks",
        ["sent_at"],
        unique=False,
        postgresql_where=sa.text("state = 'pending' AND sent_at IS NOT NULL"),
    )
    op.create_index(
        "ix_chunks_to_send",
        "chunks",
        ["access_key_id", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'pending' AND sent_at IS NULL"),
    )
    op.create_table(
        "group_items",
        sa.Column("group_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["code_groups.id"], name=op.f("fk_group_items_group_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["kind", "item_id"], ["catalog_items.kind", "catalog_items.id"], name=op.f("fk_group_items_kind_item_id")
        ),
        sa.PrimaryKeyConstraint("group_id", "kind", "item_id", name=op.f("pk_group_items")),
    )
    op.create_index("ix_group_items_kind_item_id", "group_items", ["kind", "item_id"], unique=False)


def downgrade() -> None:
    for table in (
        "idempotency_keys",
        "group_items",
        "chunks",
        "code_groups",
        "catalog_items",
        "access_keys",
        "workers",
        "codes",
        "clients",
    ):
        op.drop_table(table)

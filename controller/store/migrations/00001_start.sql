-- SPDX-License-Identifier: Apache-2.0
-- Times are milliseconds since 1970 UTC; 0 is "not yet". The types and the
-- statements are those that SQLite and PostgreSQL share.

-- +goose Up
CREATE TABLE hosts (
    id        TEXT PRIMARY KEY,
    name      TEXT NOT NULL,
    identity  TEXT NOT NULL,
    recipient TEXT NOT NULL,
    profile   TEXT NOT NULL,
    enrolled  BIGINT NOT NULL,
    revoked   BIGINT NOT NULL
);
CREATE UNIQUE INDEX hosts_active ON hosts (name) WHERE revoked = 0;

CREATE TABLE tokens (
    id       TEXT PRIMARY KEY,
    host     TEXT NOT NULL,
    verifier TEXT NOT NULL,
    rebind   BIGINT NOT NULL,
    created  BIGINT NOT NULL,
    expires  BIGINT NOT NULL,
    used     BIGINT NOT NULL
);

CREATE TABLE facts (
    host_id      TEXT PRIMARY KEY REFERENCES hosts (id),
    counter      BIGINT NOT NULL,
    probe_digest TEXT NOT NULL,
    answers      TEXT NOT NULL,
    at           BIGINT NOT NULL
);

CREATE TABLE reports (
    host_id       TEXT NOT NULL REFERENCES hosts (id),
    counter       BIGINT NOT NULL,
    sequence      BIGINT NOT NULL,
    commit_id     TEXT NOT NULL,
    config_digest TEXT NOT NULL,
    state         TEXT NOT NULL,
    body          TEXT NOT NULL,
    at            BIGINT NOT NULL,
    PRIMARY KEY (host_id, counter)
);

CREATE TABLE releases (
    host_id       TEXT NOT NULL REFERENCES hosts (id),
    sequence      BIGINT NOT NULL,
    config_digest TEXT NOT NULL,
    probe_digest  TEXT NOT NULL,
    policy_digest TEXT NOT NULL,
    recipient     TEXT NOT NULL,
    format        BIGINT NOT NULL,
    commit_id     TEXT NOT NULL,
    tree          TEXT NOT NULL,
    waiting       BIGINT NOT NULL,
    at            BIGINT NOT NULL,
    PRIMARY KEY (host_id, sequence)
);

CREATE TABLE reviews (
    repo   TEXT NOT NULL,
    pull   BIGINT NOT NULL,
    seq    BIGINT NOT NULL,
    head   TEXT NOT NULL,
    base   TEXT NOT NULL,
    merged TEXT NOT NULL,
    facts  TEXT NOT NULL,
    digest TEXT NOT NULL,
    state  TEXT NOT NULL,
    body   TEXT NOT NULL,
    shown  TEXT NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (repo, pull, seq)
);
CREATE INDEX reviews_head ON reviews (head);

CREATE TABLE comments (
    repo TEXT NOT NULL,
    pull BIGINT NOT NULL,
    id   BIGINT NOT NULL,
    seq  BIGINT NOT NULL,
    PRIMARY KEY (repo, pull)
);

CREATE TABLE refs (
    repo      TEXT NOT NULL,
    name      TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    outcome   TEXT NOT NULL,
    detail    TEXT NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (repo, name)
);

CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    n  BIGINT NOT NULL
);
CREATE INDEX deliveries_n ON deliveries (n);

CREATE TABLE audit (
    n       BIGINT PRIMARY KEY,
    at      BIGINT NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail  TEXT NOT NULL
);

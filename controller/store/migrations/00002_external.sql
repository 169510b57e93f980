-- SPDX-License-Identifier: Apache-2.0
-- What others know of a host, as JSON by the plugin that it is for. The host is a name:
-- it need not be enrolled.

-- +goose Up
CREATE TABLE external (
    host   TEXT NOT NULL,
    source TEXT NOT NULL,
    data   TEXT NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (host, source)
);

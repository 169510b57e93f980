-- SPDX-License-Identifier: Apache-2.0
-- An environment is a branch of a repository that is published to hosts of its own.
-- Hosts of before are in none until they are moved to one.

-- +goose Up
ALTER TABLE hosts ADD COLUMN environment TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN environment TEXT NOT NULL DEFAULT '';
ALTER TABLE releases ADD COLUMN environment TEXT NOT NULL DEFAULT '';
ALTER TABLE reviews ADD COLUMN environment TEXT NOT NULL DEFAULT '';

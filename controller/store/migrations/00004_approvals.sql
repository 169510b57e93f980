-- SPDX-License-Identifier: Apache-2.0
-- Who approved, in a pull request, that an assertion does not hold. The hash stands for
-- all that the finding says.

-- +goose Up
CREATE TABLE approvals (
    repo    TEXT NOT NULL,
    pull    BIGINT NOT NULL,
    hash    TEXT NOT NULL,
    account BIGINT NOT NULL,
    login   TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (repo, pull, hash, account)
);

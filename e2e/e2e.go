// SPDX-License-Identifier: Apache-2.0

// Package e2e holds what is tested with real programs beside ours: a Gitea, Chromium,
// and whole machines. Its tests stand behind build tags that make targets set, because
// they need what is not there everywhere; they never skip. It sees commands, files and
// HTTP, and must not know how anything works inside.
package e2e

// SPDX-License-Identifier: Apache-2.0

package api

// NewImpatient is New with another time for bodies to arrive.
var NewImpatient = newAPI

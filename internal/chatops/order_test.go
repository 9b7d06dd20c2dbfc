package chatops_test

import (
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

func TestOrders_ThatCannotBeObeyed_AreInvalid(t *testing.T) {
	t.Parallel()
	const long = 24 * time.Hour
	for name, c := range map[string]struct {
		order interface{ Validate() error }
		want  string // part of the message; empty: valid
	}{
		"trip":             {&chatops.BreakerOrder{Name: "slack", Mode: chatops.BreakerTripped, For: long}, ""},
		"auto":             {&chatops.BreakerOrder{Name: "slack", Mode: chatops.BreakerAuto}, ""},
		"no mode":          {&chatops.BreakerOrder{Name: "slack"}, `mode ""`},
		"unknown mode":     {&chatops.BreakerOrder{Name: "slack", Mode: "ajar"}, `mode "ajar"`},
		"no integration":   {&chatops.BreakerOrder{Mode: chatops.BreakerReset}, "integration is missing"},
		"trip of the past": {&chatops.BreakerOrder{Name: "slack", Mode: chatops.BreakerTripped, For: -1}, "cannot last -1ns"},
		"override":         {&chatops.LimitOverride{Name: "chat", Value: "1 per minute", For: 1}, ""},
		"no limit":         {&chatops.LimitOverride{Name: "\t", Value: "1 per minute"}, "limit is missing"},
		"no value":         {&chatops.LimitOverride{Name: "chat", Value: " "}, "value is missing"},
		"override of past": {&chatops.LimitOverride{Name: "chat", Value: "1 per minute", For: -long}, "cannot last"},
		"block":            {&chatops.ClientBlock{Network: "203.0.113.7/32"}, ""},
		"no network":       {&chatops.ClientBlock{}, "network is missing"},
		"block of past":    {&chatops.ClientBlock{Network: "203.0.113.7/32", For: -1}, "cannot last"},
	} {
		err := c.order.Validate()
		if c.want == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.want != "" && (chatops.ErrorCode(err) != chatops.CodeInvalid || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

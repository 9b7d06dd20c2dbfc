package chatops

import (
	"strings"
	"time"
)

// Validate returns CodeInvalid for an unknown mode, an empty name or a negative
// For.
func (o *BreakerOrder) Validate() error {
	switch o.Mode {
	case BreakerAuto, BreakerReset, BreakerTripped:
	default:
		return Errorf(CodeInvalid, "order to a breaker: mode %q is not one of auto, reset, tripped", o.Mode)
	}
	return validateOrder("order to a breaker", "name of the integration", o.Name, o.For)
}

// Validate returns CodeInvalid for an empty name or value or a negative For. It
// does not read the value: the limit grammar does.
func (o *LimitOverride) Validate() error {
	if strings.TrimSpace(o.Value) == "" {
		return Errorf(CodeInvalid, "override of a limit: value is missing")
	}
	return validateOrder("override of a limit", "name of the limit", o.Name, o.For)
}

// Validate returns CodeInvalid for an empty network or a negative For.
func (b *ClientBlock) Validate() error {
	return validateOrder("block of a client", "network", b.Network, b.For)
}

func validateOrder(what, keyName, key string, lasts time.Duration) error {
	switch {
	case strings.TrimSpace(key) == "":
		return Errorf(CodeInvalid, "%s: %s is missing", what, keyName)
	case lasts < 0:
		return Errorf(CodeInvalid, "%s: it cannot last %s", what, lasts)
	}
	return nil
}

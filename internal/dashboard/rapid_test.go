package dashboard

import (
	"context"
	"testing"

	"pgregory.net/rapid"
)

// tbOf lets a property test use what is made for tests.
type tbOf struct {
	testing.TB

	rapid *rapid.T
}

func (t tbOf) Helper()                           { t.rapid.Helper() }
func (t tbOf) Context() context.Context          { return t.rapid.Context() }
func (t tbOf) Errorf(format string, args ...any) { t.rapid.Errorf(format, args...) }
func (t tbOf) Fatalf(format string, args ...any) { t.rapid.Fatalf(format, args...) }

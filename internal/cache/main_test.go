package cache

import (
	"testing"

	"go.uber.org/goleak"

	"chatops/internal/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(redistest.Wrap(m)) }

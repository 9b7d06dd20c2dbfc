package cache

import (
	"context"
	"fmt"
	"time"
)

// JobName is the name of the job that calls CleanUp.
const JobName = "cache_cleanup"

// CleanUp purges memory and says how much that was.
func (c *Cache) CleanUp(ctx context.Context) (string, error) {
	start := time.Now()
	removed := c.Purge(ctx)
	c.opts.Log.Info("cache cleanup", "removed", removed, "ms", time.Since(start).Milliseconds())
	return fmt.Sprintf("%d entries removed", removed), nil
}

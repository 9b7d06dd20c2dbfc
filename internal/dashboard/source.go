package dashboard

import (
	"context"

	"chatops/internal/chatops"
)

// newFeeds makes the sources. Those of a list and of one alert are idle until
// such a screen is shown.
func newFeeds(o *Options) []*feed {
	store := o.Store
	feeds := []*feed{
		{name: "queue", backing: o.Database, lookFunc: func(ctx context.Context) (answer, error) {
			s, err := store.QueueStats(ctx)
			return answer{Queue: s}, err
		}},
		{name: "causes", backing: o.Database, every: causesEvery, lookFunc: func(ctx context.Context) (answer, error) {
			groups, err := store.AlertGroups(ctx, maxCauses, countTo)
			return answer{Causes: groups}, err
		}},
		{name: "fleet", backing: o.Database, lookFunc: func(ctx context.Context) (answer, error) {
			f, err := lookAtFleet(ctx, store)
			return answer{Fleet: f}, err
		}},
		{name: "jobs", backing: o.Database, lookFunc: func(ctx context.Context) (answer, error) {
			list, err := store.Jobs(ctx)
			return answer{Jobs: list}, err
		}},
		{name: "alerts", backing: o.Database},
		{name: "alert", backing: o.Database},
	}
	if o.PingRedisFunc != nil {
		feeds = append(feeds, &feed{name: "redis", backing: "redis", lookFunc: func(ctx context.Context) (answer, error) {
			return answer{}, o.PingRedisFunc(ctx)
		}})
	}
	return feeds
}

func lookAtFleet(ctx context.Context, store Store) (*chatops.Fleet, error) {
	controls, err := store.Controls(ctx)
	if err != nil {
		return nil, err
	}
	replicas, err := store.Instances(ctx)
	return &chatops.Fleet{Controls: controls, Replicas: replicas}, err
}

package storetest

import "sync"

func poolCases() []testCase {
	return []testCase{{"Pools_StayWithinTheirBounds", poolBounds}}
}

func poolBounds(e *env) {
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			if err := e.store.Ping(e.ctx); err != nil {
				e.t.Errorf("ping: %v", err)
			}
		})
	}
	wg.Wait()
	pools := e.store.Pools()
	if len(pools) == 0 {
		e.t.Fatal("no pool")
	}
	opened := 0
	for _, p := range pools {
		if p.Name == "" || p.Max < 1 || p.Open < 0 || p.Open > p.Max || p.InUse < 0 || p.InUse > p.Open || p.Waits < 0 || p.Waited < 0 {
			e.t.Errorf("pool %+v is out of bounds", p)
		}
		opened += p.Open
	}
	if opened == 0 {
		e.t.Errorf("no connection is open: %+v", pools)
	}
}

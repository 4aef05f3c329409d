package redis

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"github.com/zocalo-go/zocalo/realtime/adapter/cluster"
)

// publish sends a batch in one go: write adds a message's command to the pipeline.
// It returns how many messages Redis has taken.
func publish(ctx context.Context, c redis.Cmdable, batch []*cluster.Message, write func(redis.Pipeliner, *cluster.Message) error) (sent int, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p := c.Pipeline()
	var unfit error
	for _, m := range batch {
		if err := write(p, m); err != nil {
			unfit = fmt.Errorf("redis: a message cannot be written: %w: %w", err, cluster.ErrUnfit)
			break
		}
	}
	if p.Len() == 0 {
		return 0, unfit
	}
	commands, err := p.Exec(ctx)
	if err == nil {
		return len(commands), unfit
	}
	for _, command := range commands {
		if command.Err() != nil {
			break
		}
		sent++
	}
	return sent, fmt.Errorf("redis: %w", err)
}

// count sums what the servers of a Redis Cluster answer, or asks the only one.
func count(ctx context.Context, client redis.UniversalClient, ask func(context.Context, redis.Cmdable) *redis.MapStringIntCmd) (int, error) {
	var total atomic.Int64
	add := func(ctx context.Context, c redis.Cmdable) error {
		numbers, err := ask(ctx, c).Result()
		for _, n := range numbers {
			total.Add(n)
		}
		return err
	}
	var err error
	if c, ok := client.(*redis.ClusterClient); ok {
		err = c.ForEachShard(ctx, func(ctx context.Context, c *redis.Client) error { return add(ctx, c) })
	} else {
		err = add(ctx, client)
	}
	if err != nil {
		return 0, fmt.Errorf("redis: %w", err)
	}
	return int(total.Load()), nil
}

// master returns the client of the server that has a key: in a Redis Cluster what
// goes through one server stays in order.
func master(ctx context.Context, client redis.UniversalClient, key string) redis.Cmdable {
	if c, ok := client.(*redis.ClusterClient); ok {
		if m, err := c.MasterForKey(ctx, key); err == nil {
			return m
		}
	}
	return client
}

// reload has a Redis Cluster say anew which server has what, because something has
// failed.
func reload(ctx context.Context, client redis.UniversalClient) {
	if c, ok := client.(*redis.ClusterClient); ok {
		c.ReloadState(ctx)
	}
}

package app_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/zocalo-go/zocalo/app"
)

// A table of routes runs, in order, exactly the routes that match alone: the index never adds, loses or reorders one.
func FuzzTableIsTheSumOfItsRoutes(f *testing.F) {
	for seed := range uint64(160) {
		f.Add(seed)
	}
	segments := []string{"a", "B", "aa", ":x", "{y:[a-b]+}", ":x-:y", "v:x", "*rest", "{/:o}", "a{/b}", "{/*all}", ""}
	requests := []string{"a", "A", "b", "aa", "a-b", "a-b-a", "va", "%61", "", "c%2Fd"}
	f.Fuzz(func(t *testing.T, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 0))
		path := func(parts []string) string {
			var b strings.Builder
			for range 1 + random.IntN(4) {
				part := parts[random.IntN(len(parts))]
				if !strings.HasPrefix(part, "{/") {
					b.WriteByte('/')
				}
				b.WriteString(part)
			}
			return b.String()
		}
		mark := func(i int) app.Handler {
			return func(req *app.Request, res *app.Response) error {
				trace := []string{strconv.Itoa(i)}
				for _, name := range []string{"x", "y", "rest", "o", "all"} {
					trace = append(trace, req.Param(name))
				}
				res.Append("X-Trace", strings.Join(trace, ","))
				return req.Next()
			}
		}
		config := app.RouterConfig{Strict: random.IntN(4) == 0, CaseSensitive: random.IntN(4) == 0}
		table := app.NewRouter(config)
		var alone []*app.App
		var paths []string
		for i := range 1 + random.IntN(12) {
			p := path(segments)
			single := app.NewRouter(config)
			single.Get(p, mark(i))
			alone = append(alone, app.New())
			alone[i].Use(single)
			table.Get(p, mark(i))
			paths = append(paths, p)
		}
		whole := app.New()
		whole.Use(table)
		for range 30 {
			url := path(requests)
			var want []string
			for _, a := range alone {
				want = append(want, do(a, "GET", url).Header()["X-Trace"]...)
			}
			if got := do(whole, "GET", url).Header()["X-Trace"]; strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("%+v %q\n%s: got %v, alone %v", config, paths, url, got, want)
			}
		}
	})
}

package handlebars

import (
	"context"
	"log/slog"
	"strconv"
	"strings"

	"github.com/zocalo-go/zocalo/app/handlebars/internal/syntax"
)

// log compiles {{log …}}: it logs its arguments and writes nothing. The level is the argument level or @level, a name
// or a number: debug 0, info 1, warn 2, error 3.
func (c *compiler) log(call syntax.Call, at *site) expr {
	params, levelOf := c.exprs(call.Params), c.named(call, "level")
	return func(r *renderer) value {
		level := slog.LevelInfo
		words := make([]string, len(params))
		for i, find := range params {
			words[i] = text(find(r))
		}
		v := levelOf(r)
		if v.isNil() {
			v, _ = r.variable(r.frame, "level")
		}
		if !v.isNil() {
			level = logLevel(v)
		}
		logger := r.engine.config.Logger
		if logger == nil {
			logger = slog.Default()
		}
		logger.Log(context.WithoutCancel(r.ctx), level, strings.Join(words, " "), "template", at.String())
		return value{}
	}
}

func logLevel(v value) slog.Level {
	levels := [...]slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}
	for i, name := range [...]string{"debug", "info", "warn", "error"} {
		if strings.EqualFold(text(v), name) {
			return levels[i]
		}
	}
	n, err := strconv.Atoi(text(v))
	if err != nil || n < 0 || n >= len(levels) {
		return slog.LevelInfo
	}
	return levels[n]
}

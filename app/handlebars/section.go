package handlebars

import "reflect"

// A section is a part of the page that the layout writes elsewhere: {{#section "head"}}…{{/section}} in the page or a
// partial sets it, {{{section "head"}}} in the layout writes it. What several blocks set for one name follows each
// other. It is used where nothing else is called section: no helper, and no function in the data.
type section struct {
	name string
	text []byte
}

// isSection reports whether a call means a section when there is no helper of that name.
func (in *invocation) isSection(f callee) bool {
	return f.simple && f.name == "section" && len(in.params) > 0
}

// hasFunction reports whether the context has a function of that name.
func (r *renderer) hasFunction(name string) bool {
	v, _ := r.property(r.scope.this, name)
	return v.resolve().Kind() == reflect.Func
}

// namedSection renders what a block sets, or returns what was set.
func (r *renderer) namedSection(in *invocation) value {
	name := text(in.params[0](r))
	if !in.block {
		for i := range r.sections {
			if r.sections[i].name == name {
				return value{any: SafeString(r.sections[i].text)}
			}
		}
		return value{}
	}
	start := len(r.out)
	r.run(in.main)
	set := r.out[start:]
	r.out = r.out[:start]
	for i := range r.sections {
		if r.sections[i].name == name {
			r.sections[i].text = append(r.sections[i].text, set...)
			return value{}
		}
	}
	r.sections = append(r.sections, section{name, append([]byte(nil), set...)})
	return value{}
}

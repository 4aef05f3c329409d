package routes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// realtime is the package whose sockets have events.
const realtime = "github.com/zocalo-go/zocalo/realtime"

// A Source is the type-checked source of an app's own module, as far as the app
// imports it. A nil Source knows nothing. It is not for concurrent use.
type Source struct {
	files     *token.FileSet
	functions map[string]*function // by the runtime's name of it
	literals  map[string]*function // by file:line of the word func, where only one begins
	all       []*function          // declared ones, in the order of the source
	shown     map[token.Pos]bool   // registrations that a namespace has shown
}

// A function has a body that may register events.
type function struct {
	pos  token.Position
	body *ast.BlockStmt
	info *types.Info
}

func (f *function) file(otherwise string) string {
	if f == nil || otherwise != "" {
		return otherwise
	}
	return f.pos.Filename
}

func (f *function) line(otherwise int) int {
	if f == nil || otherwise != 0 {
		return otherwise
	}
	return f.pos.Line
}

// listed is what go list tells of a package.
type listed struct {
	ImportPath, Name, Dir, Export string
	CompiledGoFiles               []string
	Module                        *struct{ Main bool }
}

// Load reads the source of a package in dir and of what it imports from its own
// module. The others are known by what the compiler has left in the build cache.
func Load(ctx context.Context, dir, pkg string) (*Source, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-export", "-deps", "-compiled", "-json=ImportPath,Name,Dir,Export,CompiledGoFiles,Module", pkg)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, fmt.Errorf("go list: %s", strings.TrimSpace(string(exit.Stderr)))
		}
		return nil, err
	}
	var own []listed
	exports := map[string]string{}
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		exports[p.ImportPath] = p.Export
		if p.Module != nil && p.Module.Main && p.ImportPath != realtime { // which registers what others give it
			own = append(own, p)
		}
	}
	s := &Source{files: token.NewFileSet(), functions: map[string]*function{}, literals: map[string]*function{}, shown: map[token.Pos]bool{}}
	compiled := importer.ForCompiler(s.files, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("%s has not been compiled", path)
		}
		return os.Open(exports[path])
	})
	for _, p := range own {
		if err := s.add(p, compiled); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// add type-checks a package and remembers its functions.
func (s *Source) add(p listed, compiled types.Importer) error {
	var files []*ast.File
	for _, name := range p.CompiledGoFiles {
		if !filepath.IsAbs(name) {
			name = filepath.Join(p.Dir, name)
		}
		f, err := parser.ParseFile(s.files, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: compiled}
	if _, err := config.Check(p.ImportPath, s.files, files, info); err != nil {
		return err
	}
	for _, file := range files {
		for node := range ast.Preorder(file) {
			switch node := node.(type) {
			case *ast.FuncDecl:
				f, ok := info.Defs[node.Name].(*types.Func)
				if ok && node.Body != nil {
					fn := &function{s.files.Position(node.Pos()), node.Body, info}
					s.functions[runtimeName(f)] = fn
					s.all = append(s.all, fn)
				}
			case *ast.FuncLit:
				pos := s.files.Position(node.Pos())
				key := place(pos.Filename, pos.Line)
				if _, twice := s.literals[key]; twice {
					s.literals[key] = nil // which one the runtime means, nobody knows
				} else {
					s.literals[key] = &function{pos, node.Body, info}
				}
			}
		}
	}
	return nil
}

func place(file string, line int) string { return fmt.Sprintf("%s:%d", filepath.ToSlash(file), line) }

// runtimeName is what the runtime calls a function: "main.(*plaza).connected".
func runtimeName(f *types.Func) string {
	if f.Pkg() == nil {
		return f.Name() // error's Error
	}
	pkg := f.Pkg().Path()
	if f.Pkg().Name() == "main" {
		pkg = "main"
	}
	receiver := f.Signature().Recv()
	if receiver == nil {
		return pkg + "." + f.Name()
	}
	t, pointer := receiver.Type(), false
	if p, ok := t.(*types.Pointer); ok {
		t, pointer = p.Elem(), true
	}
	named, ok := t.(*types.Named)
	switch {
	case !ok:
		return pkg + "." + f.Name() // of an interface without a name
	case pointer:
		return pkg + ".(*" + named.Obj().Name() + ")." + f.Name()
	}
	return pkg + "." + named.Obj().Name() + "." + f.Name()
}

// find returns the function that the runtime describes, or nil.
func (s *Source) find(name, file string, line int) *function {
	if s == nil {
		return nil
	}
	if f := s.functions[name]; f != nil {
		return f
	}
	return s.literals[place(file, line)]
}

// events returns what f registers on sockets, itself and by what it calls, in
// the order of the source.
func (s *Source) events(f *function) []Event {
	if s == nil || f == nil {
		return nil
	}
	var events []Event
	seen := map[*function]bool{}
	var visit func(f *function)
	visit = func(f *function) {
		if f == nil || seen[f] {
			return
		}
		seen[f] = true
		for node := range ast.Preorder(f.body) {
			switch node := node.(type) {
			case *ast.CallExpr:
				if e, ok := s.registration(node, f.info); ok {
					s.shown[node.Pos()] = true
					events = append(events, e)
				}
			case *ast.Ident:
				if called, ok := f.info.Uses[node].(*types.Func); ok {
					visit(s.functions[runtimeName(called)])
				}
			}
		}
	}
	visit(f)
	return events
}

// rest are the registrations that no call of events has returned.
func (s *Source) rest() []Event {
	if s == nil {
		return nil
	}
	var events []Event
	for _, f := range s.all {
		for node := range ast.Preorder(f.body) {
			if call, ok := node.(*ast.CallExpr); ok && !s.shown[call.Pos()] {
				if e, ok := s.registration(call, f.info); ok {
					events = append(events, e)
				}
			}
		}
	}
	return events
}

// registration reads a call that registers a handler of a client's event:
// socket.On, socket.Once, realtime.On or realtime.Handle.
func (s *Source) registration(call *ast.CallExpr, info *types.Info) (Event, bool) {
	f := callee(call.Fun, info)
	if f == nil || f.Pkg() == nil || f.Pkg().Path() != realtime {
		return Event{}, false
	}
	first := 0
	switch name := runtimeName(f); name {
	case realtime + ".(*Socket).On", realtime + ".(*Socket).Once":
	case realtime + ".On", realtime + ".Handle":
		first = 1
	default:
		return Event{}, false
	}
	if len(call.Args) != first+2 {
		return Event{}, false
	}
	pos := s.files.Position(call.Pos())
	return Event{From: "client", Event: text(call.Args[first], info), Handler: handler(call.Args[first+1], info), File: pos.Filename, Line: pos.Line}, true
}

// callee is the function that is called, or nil when it is a value.
func callee(fun ast.Expr, info *types.Info) *types.Func {
	switch fun := ast.Unparen(fun).(type) {
	case *ast.Ident:
		f, _ := info.Uses[fun].(*types.Func)
		return f
	case *ast.SelectorExpr:
		f, _ := info.Uses[fun.Sel].(*types.Func)
		return f
	case *ast.IndexExpr: // realtime.On[T]
		return callee(fun.X, info)
	case *ast.IndexListExpr:
		return callee(fun.X, info)
	}
	return nil
}

// text is the value of a constant, or else the expression.
func text(e ast.Expr, info *types.Info) string {
	if v := info.Types[e].Value; v != nil && v.Kind() == constant.String {
		return constant.StringVal(v)
	}
	return types.ExprString(e)
}

// handler is the name of a function, or the signature of a literal.
func handler(e ast.Expr, info *types.Info) string {
	if _, literal := ast.Unparen(e).(*ast.FuncLit); !literal {
		return types.ExprString(e)
	}
	return types.TypeString(info.TypeOf(e), func(p *types.Package) string {
		if p.Name() == "main" {
			return ""
		}
		return p.Name()
	})
}

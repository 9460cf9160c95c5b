package policy

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"
)

const (
	maxExpression = 4096    // characters
	costLimit     = 500_000 // steps of one evaluation; a scan of 10,000 components costs 100,000
)

// environment compiles expressions over [Facts].
type environment struct{ env *cel.Env }

// program is a compiled expression.
type program struct{ prg cel.Program }

func newEnvironment() (*environment, error) {
	object := func(name string) *cel.Type { return cel.ObjectType("policy." + name) }
	env, err := cel.NewEnv(
		ext.NativeTypes(ext.ParseStructTag("cel"),
			reflect.TypeFor[Image](), reflect.TypeFor[Claimed](), reflect.TypeFor[Maker](), reflect.TypeFor[Silicon](),
			reflect.TypeFor[Component](), reflect.TypeFor[Coverage](), reflect.TypeFor[Evidence]()),
		cel.Variable("image", object("Image")),
		cel.Variable("claimed", object("Claimed")),
		cel.Variable("makers", cel.ListType(object("Maker"))),
		cel.Variable("silicon", cel.ListType(object("Silicon"))),
		cel.Variable("components", cel.ListType(object("Component"))),
		cel.Variable("coverage", object("Coverage")),
		cel.Variable("purpose", cel.StringType),
		cel.Variable("sites", cel.ListType(cel.StringType)),
		cel.Variable("as_of", cel.StringType),
	)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return &environment{env}, nil
}

// compile takes an expression whose every name and type is known and that is true or false.
func (e *environment) compile(text string) (program, error) {
	if len(text) > maxExpression {
		return program{}, fmt.Errorf("%d characters, more than %d", len(text), maxExpression)
	}
	ast, issues := e.env.Compile(text)
	if err := issues.Err(); err != nil {
		first, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "ERROR: "), "\n")
		return program{}, errors.New(strings.TrimPrefix(first, "<input>:"))
	}
	if ast.OutputType() != cel.BoolType {
		return program{}, fmt.Errorf("it is %s, want true or false", ast.OutputType())
	}
	prg, err := e.env.Program(ast, cel.CostLimit(costLimit))
	return program{prg}, err
}

// eval answers for f. An error means that the expression does not fit the facts, or costs too much.
func (p program) eval(f *Facts, at Date) (bool, error) {
	v, _, err := p.prg.Eval(map[string]any{
		"image": f.Image, "claimed": f.Claimed, "makers": f.Makers, "silicon": f.Silicon, "components": f.Components,
		"coverage": f.Coverage, "purpose": f.Purpose, "sites": f.Sites, "as_of": string(at),
	})
	if err != nil {
		return false, err
	}
	b, ok := v.Value().(bool)
	if !ok {
		return false, fmt.Errorf("not true or false but %v", v)
	}
	return b, nil
}

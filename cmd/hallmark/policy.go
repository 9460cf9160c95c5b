package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"hallmark/policy"
	"hallmark/report"
)

func newPolicyCommand(env *environment) *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "List rule packs, and test your own",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			packs, err := loadPacks(policy.Names())
			if err != nil {
				return err
			}
			for _, p := range packs {
				fmt.Fprintf(env.stdout, "%s  %s (reviewed %s, next by %s)\n", p.ID, p.Title, p.Reviewed, p.ReviewBy)
				for i := range p.Rules {
					r := &p.Rules[i]
					fmt.Fprintf(env.stdout, "    %s  %s: %s (%s, %s)\n", r.ID, r.Level, r.Title, r.Citation.Law, r.Citation.Section)
				}
			}
			return nil
		},
	}
	c.AddCommand(&cobra.Command{
		Use:   "test PACK...",
		Short: "Load rule packs and run the cases of their rules",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			packs, err := loadPacks(args)
			if err != nil {
				return err
			}
			bad := 0
			for _, p := range packs {
				for _, err := range p.Test() {
					bad++
					fmt.Fprintln(env.stdout, report.Printable(err.Error()))
				}
			}
			if bad > 0 {
				return exitf(exitList, "%d cases do not come out as they should", bad)
			}
			return nil
		},
	})
	return c
}

namespace Unrolled.Generator.Emit;
internal static class ModelEmitter { public static string Run(Frontend.ModelSpec spec, Graph.ModelGraph network, Schedule.ParameterLayout layout, Schedule.ModelSchedule step, Schedule.ModelSchedule run, Schedule.ModelSchedule training) => Schedule.SchedulePrinter.Print(step) + Schedule.SchedulePrinter.Print(run)+ Schedule.SchedulePrinter.Print(training); }

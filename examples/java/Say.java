/* What job.yaml runs. No branches, so that a class file of any age will do for the test that runs it. */
public class Say {
    public static void main(String[] args) {
        System.out.println(args[0]);
        System.err.println(System.getenv("REPRISE_PARAM_who"));
        System.exit(Integer.parseInt(args[1]));
    }
}

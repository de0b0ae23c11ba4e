/** What a person agrees to, word by word. A changed text gets a new version, and is asked for again. */
export interface ConsentText {
  /** Kept with the agreement and shown beside the text. */
  readonly version: string;
  readonly paragraphs: readonly string[];
  /** Beside the box that is ticked. */
  readonly agreement: string;
}

/** The text of today. */
export const CONSENT_TEXT: ConsentText = {
  version: "2026-11",
  paragraphs: [
    "Your browser will train the model of this task on the data that you chose, on this device, until the task ends, you pause or you leave.",
    "After each round it sends the change of the model, the number of your examples, and how well the model did on the examples that you hold out. Your examples, labels and files are not sent. A change of a model can still tell something about the data that made it.",
    "The organizer combines the changes of all participants. What was combined cannot be taken back; what you have not sent yet never will be once you leave.",
    "Your agreement is signed with the key of this browser and recorded by the organizer. You can leave at any time and delete what this page keeps on your device.",
  ],
  agreement: "I have read this, I may use this data, and I want to take part.",
};
